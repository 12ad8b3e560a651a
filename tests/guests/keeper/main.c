// A guest that does to files what its event's body says, a line a command, and says what came of
// it. A path has no spaces; what is left of a line after it is the text.
//
//   write PATH TEXT   append PATH TEXT   read PATH   fill PATH BYTES   cut PATH BYTES
//   list FOLDER       rename PATH PATH   unlink PATH   exists PATH
//   expire PATH SECONDS   from now; 0: now      when PATH   seconds until it expires
//   call METHOD URL BODY   through /http/new; "@PATH": the body is what that file holds
//   stream METHOD URL BYTES TEXT   the same with so many bytes before the body's text
//   peek PATH AT BYTES   poke PATH AT TEXT   size PATH
//   many FOLDER COUNT   log TEXT   trap   loop   exit STATUS
//
// An error is said by its name and stops nothing.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { kMostNames = 4096, kMostBytes = 4 << 20 };

static const char *error_name(int error) {
  switch (error) {
    case EACCES: return "EACCES";
    case EBADF: return "EBADF";
    case ECONNABORTED: return "ECONNABORTED";
    case ECONNREFUSED: return "ECONNREFUSED";
    case ECONNRESET: return "ECONNRESET";
    case EDQUOT: return "EDQUOT";
    case EEXIST: return "EEXIST";
    case EFBIG: return "EFBIG";
    case EHOSTUNREACH: return "EHOSTUNREACH";
    case EINVAL: return "EINVAL";
    case EIO: return "EIO";
    case EISDIR: return "EISDIR";
    case ELOOP: return "ELOOP";
    case EMSGSIZE: return "EMSGSIZE";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ENOENT: return "ENOENT";
    case ENOSPC: return "ENOSPC";
    case ENOTDIR: return "ENOTDIR";
    case ENOTSUP: return "ENOTSUP";
    case EPERM: return "EPERM";
    case EPROTO: return "EPROTO";
    case EROFS: return "EROFS";
    case ESTALE: return "ESTALE";
    case ETIMEDOUT: return "ETIMEDOUT";
    case EXDEV: return "EXDEV";
    case ENOTCAPABLE: return "ENOTCAPABLE";
  }
  static char number[16];
  snprintf(number, sizeof number, "errno %d", error);
  return number;
}

static void say(const char *command, const char *path, int ok) {
  printf("%s %s: %s\n", command, path, ok ? "ok" : error_name(errno));
}

// As a component: the adapter's memory comes from here. Otherwise it grows the memory itself before the
// first malloc, at which this libc takes all the memory there is for its own.
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align,
                                                                size_t size) {
  (void)old_size;
  if (old == NULL && size == 0) return (void *)align;
  void *memory = realloc(old, size);
  if (memory == NULL) abort();
  return memory;
}

static int write_whole(const char *path, int flags, const char *bytes, size_t size) {
  const int fd = open(path, O_WRONLY | O_CREAT | flags, 0666);
  if (fd < 0) return 0;
  int ok = 1;
  while (ok && size > 0) {
    const ssize_t n = write(fd, bytes, size);
    ok = n > 0;
    if (ok) {
      bytes += n;
      size -= (size_t)n;
    }
  }
  const int error = errno;
  close(fd);
  errno = error;
  return ok;
}

static void read_file(const char *path) {
  char buffer[4096];
  const int fd = open(path, O_RDONLY);
  ssize_t size = -1;
  if (fd >= 0) {
    size = read(fd, buffer, sizeof buffer);
    const int error = errno;
    close(fd);
    errno = error;
  }
  if (size < 0) return say("read", path, 0);
  while (size > 0 && buffer[size - 1] == '\n') --size;
  printf("read %s: %.*s\n", path, (int)size, buffer);
}

// The bytes of a file, at most `size`, or -1.
static ssize_t slurp(int fd, char *into, size_t size) {
  size_t have = 0;
  for (ssize_t n = 1; n > 0 && have < size; have += (size_t)n) {
    n = read(fd, into + have, size - have);
    if (n < 0) return -1;
  }
  return (ssize_t)have;
}

// What a call's text stands for: itself, or what the file holds that it names. NULL: nothing.
static const char *body_of(const char *text) {
  static char held[4096];
  if (text == NULL) return "";
  if (*text != '@') return text;
  const int fd = open(text + 1, O_RDONLY);
  const ssize_t size = fd < 0 ? -1 : slurp(fd, held, sizeof held - 1);
  if (fd >= 0) close(fd);
  if (size < 0) return NULL;
  held[size] = '\0';
  return held;
}

static int pour(int fd, long size) {
  static char block[64 << 10];
  memset(block, 'x', sizeof block);
  while (size > 0) {
    const ssize_t n = write(fd, block, size < (long)sizeof block ? (size_t)size : sizeof block);
    if (n <= 0) return 0;
    size -= n;
  }
  return 1;
}

static void call(const char *method, char *rest, int streams) {
  static char text[64 << 10];
  const char *url = strtok(rest, " ");
  const char *bytes = streams ? strtok(NULL, " ") : NULL;
  const char *said = strtok(NULL, "");
  if (url == NULL) url = "";
  const char *body = body_of(said);
  if (body == NULL) return say("call", said, 0);
  const int fd = open("/http/new", O_RDWR);
  if (fd < 0) return say("call", url, 0);
  dprintf(fd, "%s %s HTTP/1.1\n\n", method, url);
  if (bytes != NULL && !pour(fd, strtol(bytes, NULL, 10))) return say("call", url, 0);
  dprintf(fd, "%s", body);
  const ssize_t size = slurp(fd, text, sizeof text - 1);
  const int error = errno;
  close(fd);
  errno = error;
  if (size < 0) return say("call", url, 0);
  text[size] = '\0';
  const char *answer = strstr(text, "\r\n\r\n");
  printf("call %s: %.3s %s\n", url, text + strlen("HTTP/1.1 "), answer == NULL ? "" : answer + 4);
}

static void fill(const char *path, long size) {
  char *bytes = size >= 0 && size <= kMostBytes ? malloc((size_t)size + 1) : NULL;
  if (bytes == NULL) abort();
  memset(bytes, 'x', (size_t)size);
  say("fill", path, write_whole(path, O_TRUNC, bytes, (size_t)size));
  free(bytes);
}

static void list(const char *path) {
  static char *names[kMostNames];
  int count = 0;
  DIR *folder = opendir(path);
  if (folder == NULL) return say("list", path, 0);
  for (const struct dirent *entry; count < kMostNames && (entry = readdir(folder)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    const size_t size = strlen(entry->d_name);
    char *name = malloc(size + 2);
    if (name == NULL) abort();
    memcpy(name, entry->d_name, size + 1);
    if (entry->d_type == DT_DIR) memcpy(name + size, "/", 2);
    names[count++] = name;
  }
  closedir(folder);
  printf("list %s:", path);
  for (int i = 0; i < count; ++i) printf(" %s", names[i]);
  printf("\n");
}

static void expire(const char *path, long seconds) {
  struct timespec times[2];
  clock_gettime(CLOCK_REALTIME, &times[0]);
  times[1] = times[0];
  times[1].tv_sec += seconds;
  say("expire", path, utimensat(AT_FDCWD, path, times, 0) == 0);
}

static void when(const char *path) {
  struct stat found;
  struct timespec now;
  if (stat(path, &found) != 0) return say("when", path, 0);
  clock_gettime(CLOCK_REALTIME, &now);
  const long long seconds = (long long)found.st_mtim.tv_sec - (long long)now.tv_sec;
  printf("when %s: %s\n", path, seconds > 0 ? "later" : "not set");
}

// Until one is refused.
static void many(const char *folder, long count) {
  char path[256];
  for (long i = 0; i < count; ++i) {
    snprintf(path, sizeof path, "%s/%ld", folder, i);
    if (write_whole(path, O_TRUNC, "x", 1)) continue;
    printf("many %s: %s at %ld\n", folder, error_name(errno), i);
    return;
  }
  printf("many %s: ok\n", folder);
}

static void peek(const char *path, char *rest) {
  char buffer[256];
  const off_t at = strtol(rest, &rest, 10);
  size_t left = (size_t)strtol(rest, NULL, 10), done = 0;
  if (left > sizeof buffer) left = sizeof buffer;
  const int fd = open(path, O_RDONLY);
  if (fd < 0) return say("peek", path, 0);
  for (ssize_t n = 1; n > 0 && left > 0; left -= (size_t)n, done += (size_t)n) {
    n = pread(fd, buffer + done, left, at + (off_t)done);
    if (n < 0) return say("peek", path, 0);
  }
  close(fd);
  printf("peek %s: %.*s\n", path, (int)done, buffer);
}

// By seeking, in what is there.
static void poke(const char *path, char *rest) {
  const off_t at = strtol(rest, &rest, 10);
  const int fd = open(path, O_RDWR);
  int ok = fd >= 0 && lseek(fd, at, SEEK_SET) == at;
  if (*rest == ' ') ++rest;
  for (ssize_t n; ok && *rest != 0; rest += n) {
    n = write(fd, rest, strlen(rest));
    ok = n > 0;
    if (!ok) break;
  }
  say("poke", path, ok);
  if (fd >= 0) close(fd);
}

static void size_of(const char *path) {
  struct stat found;
  if (stat(path, &found) != 0) return say("size", path, 0);
  printf("size %s: %lld\n", path, (long long)found.st_size);
}

static void cut(const char *path, long size) { say("cut", path, truncate(path, size) == 0); }

static void run(char *line) {
  const char *command = strtok(line, " ");
  char *path = strtok(NULL, " ");
  char *text = strtok(NULL, "");
  if (command == NULL) return;
  if (path == NULL) path = "";
  if (text == NULL) text = "";
  if (!strcmp(command, "write")) say(command, path, write_whole(path, O_TRUNC, text, strlen(text)));
  else if (!strcmp(command, "append")) say(command, path, write_whole(path, O_APPEND, text, strlen(text)));
  else if (!strcmp(command, "read")) read_file(path);
  else if (!strcmp(command, "call")) call(path, text, 0);
  else if (!strcmp(command, "stream")) call(path, text, 1);
  else if (!strcmp(command, "fill")) fill(path, strtol(text, NULL, 10));
  else if (!strcmp(command, "cut")) cut(path, strtol(text, NULL, 10));
  else if (!strcmp(command, "peek")) peek(path, text);
  else if (!strcmp(command, "poke")) poke(path, text);
  else if (!strcmp(command, "size")) size_of(path);
  else if (!strcmp(command, "list")) list(path);
  else if (!strcmp(command, "rename")) say(command, path, rename(path, text) == 0);
  else if (!strcmp(command, "unlink")) say(command, path, unlink(path) == 0);
  else if (!strcmp(command, "exists")) say(command, path, access(path, F_OK) == 0);
  else if (!strcmp(command, "expire")) expire(path, strtol(text, NULL, 10));
  else if (!strcmp(command, "when")) when(path);
  else if (!strcmp(command, "many")) many(path, strtol(text, NULL, 10));
  else if (!strcmp(command, "log")) fprintf(stderr, "%s %s\n", path, text);
  else if (!strcmp(command, "trap")) __builtin_trap();
  else if (!strcmp(command, "loop")) for (volatile int on = 1; on;) continue;
  else if (!strcmp(command, "exit")) exit((int)strtol(path, NULL, 10));
  else printf("%s: unknown\n", command);
}

int main(void) {
  static char body[64 << 10];
  size_t size = 0;
  for (ssize_t n = 1; n > 0 && size < sizeof body - 1; size += (size_t)n) {
    n = read(STDIN_FILENO, body + size, sizeof body - 1 - size);
    if (n < 0) return 1;
  }
  if (getenv("REQUEST_METHOD") != NULL) printf("content-type: text/plain\n\n");
  char *rest = body;
  for (char *line; (line = strsep(&rest, "\n")) != NULL;) run(line);
  return 0;
}
