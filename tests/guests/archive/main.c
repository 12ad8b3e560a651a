// A guest that keeps blobs, for tests from outside: /archive?COMMAND&PATH
//
//   put: the body is the blob's content   get: the blob is the reply's body   drop: it is unlinked
//   append: as put, at its end            edit: as put, at the start of what is there
//
// A name that is not there is a 404; whatever else is refused ends the turn.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char piece[64 << 10];

static _Noreturn void give_up(const char *what) {
  fprintf(stderr, "archive: %s: %s (errno %d)\n", what, strerror(errno), errno);
  exit(1);
}

static int reply(int status) {
  printf("status: %d\ncontent-type: application/octet-stream\n\n", status);
  if (fflush(stdout) != 0) give_up("the reply");
  return 0;
}

static void write_all(int fd, const char *bytes, size_t size, const char *what) {
  while (size > 0) {
    const ssize_t n = write(fd, bytes, size);
    if (n <= 0) give_up(what);
    bytes += n;
    size -= (size_t)n;
  }
}

// False: the source is at its end.
static int pass(int from, int to, const char *what) {
  const ssize_t n = read(from, piece, sizeof piece);
  if (n < 0) give_up(what);
  write_all(to, piece, (size_t)n, what);
  return n > 0;
}

static int put(const char *path, int how) {
  const int fd = open(path, O_WRONLY | O_CREAT | how, 0666);
  if (fd < 0) give_up(path);
  while (pass(STDIN_FILENO, fd, path)) continue;
  if (close(fd) != 0) give_up(path);
  return reply(201);
}

static int get(const char *path) {
  const int fd = open(path, O_RDONLY);
  if (fd < 0 && errno == ENOENT) return reply(404);
  if (fd < 0) give_up(path);
  reply(200);
  while (pass(fd, STDOUT_FILENO, path)) continue;
  return 0;
}

static int drop(const char *path) {
  if (unlink(path) == 0) return reply(200);
  if (errno == ENOENT) return reply(404);
  give_up(path);
}

int main(void) {
  char *query = getenv("QUERY_STRING");
  const char *command = strtok(query ? strdup(query) : NULL, "&");
  const char *path = strtok(NULL, "&");
  if (command == NULL || path == NULL) return reply(400);
  if (!strcmp(command, "put")) return put(path, O_TRUNC);
  if (!strcmp(command, "append")) return put(path, O_APPEND);
  if (!strcmp(command, "edit")) return put(path, 0);
  if (!strcmp(command, "get")) return get(path);
  if (!strcmp(command, "drop")) return drop(path);
  return reply(400);
}
