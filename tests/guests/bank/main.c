// A guest that keeps state, for tests of what the store survives: /bank?COMMAND&ARGUMENT...
//
// An order changes five places in one turn: the stock goes down, a record and an index entry are
// made, and an amount moves between two accounts. Whoever finds some of that and not the rest has
// found a torn turn.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { kAccounts = 16 };

static char* arguments[8];
static int count;

static const char* argument(int index, const char* otherwise) {
  return index < count ? arguments[index] : otherwise;
}
static long number(int index) { return strtol(argument(index, "0"), NULL, 10); }

static _Noreturn void give_up(const char* what) {
  fprintf(stderr, "bank: %s: %s (errno %d)\n", what, strerror(errno), errno);
  exit(1);
}

__attribute__((format(printf, 1, 2))) static char* text(const char* format, ...) {
  char* made = NULL;
  va_list list;
  va_start(list, format);
  if (vasprintf(&made, format, list) < 0) abort();
  va_end(list);
  return made;
}

static long read_number(const char* path) {
  char buffer[32] = "";
  const int fd = open(path, O_RDONLY);
  if (fd < 0 && errno == ENOENT) return 0;
  if (fd < 0 || read(fd, buffer, sizeof buffer - 1) < 0) give_up(path);
  close(fd);
  return strtol(buffer, NULL, 10);
}

// False with errno: it was refused.
static int try_write(const char* path, const char* bytes, size_t size) {
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (fd < 0) return 0;
  while (size > 0) {
    const ssize_t n = write(fd, bytes, size);
    if (n <= 0) {
      const int why = errno;
      close(fd);
      errno = why;
      return 0;
    }
    bytes += n;
    size -= (size_t)n;
  }
  return close(fd) == 0;
}

static void put(const char* path, const char* value) {
  if (!try_write(path, value, strlen(value))) give_up(path);
}

static void order(void) {
  const char* round = argument(1, "r");
  const long n = number(2);
  put("/counters/stock/left", "-1 >=0");
  put(text("/kv/orders/%s/%ld", round, n), text("order %ld", n));
  put(text("/kv/index/%s/%ld", round, n), text("%ld", n));
  const char* from = text("/kv/accounts/%ld", n % kAccounts);
  const char* to = text("/kv/accounts/%ld", (n / kAccounts + n + 1) % kAccounts);
  put(from, text("%ld", read_number(from) - n));
  put(to, text("%ld", read_number(to) + n));
  printf("ordered %ld\n", n);
}

static void cat(void) {
  static char buffer[65536];
  const int fd = open(argument(1, ""), O_RDONLY);
  if (fd < 0 && errno == EIO) give_up(argument(1, ""));
  if (fd < 0) {
    printf("errno %d %s\n", errno, strerror(errno));
    return;
  }
  ssize_t n;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) fwrite(buffer, 1, (size_t)n, stdout);
  if (n < 0 && errno != EISDIR) give_up(argument(1, ""));
  if (n < 0) printf("errno %d %s\n", errno, strerror(errno));
}

static void list(void) {
  const int names = strcmp(argument(2, "names"), "count") != 0;
  DIR* folder = opendir(argument(1, ""));
  long total = 0;
  if (!folder && errno != ENOENT) give_up(argument(1, ""));
  for (struct dirent* entry; folder && (errno = 0, entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    total++;
    if (names) printf("%s\n", entry->d_name);
  }
  if (folder && errno) give_up(argument(1, ""));
  if (!names) printf("%ld\n", total);
}

static void increment(void) {
  const char* path = argument(1, "/kv/hot/key");
  const long value = read_number(path) + 1;
  put(path, text("%ld", value));
  printf("%ld\n", value);
}

// write&PATH&TEXT[&keep]: with `keep` a refusal is an answer, and what was done before it stays.
static void write_text(void) {
  const char *path = argument(1, ""), *value = argument(2, "");
  if (try_write(path, value, strlen(value)))
    printf("ok\n");
  else if (strcmp(argument(3, ""), "keep"))
    give_up(path);
  else
    printf("errno %d %s\n", errno, strerror(errno));
}

// large&PATH&BYTES[&keep]
static void write_large(void) {
  const size_t size = (size_t)number(2);
  char* bytes = calloc(size + 1, 1);
  if (!bytes) give_up("calloc");
  memset(bytes, 'x', size);
  if (try_write(argument(1, ""), bytes, size))
    printf("ok\n");
  else if (strcmp(argument(3, ""), "keep"))
    give_up(argument(1, ""));
  else
    printf("errno %d %s\n", errno, strerror(errno));
}

// many&FOLDER&COUNT&BYTES[&FIRST]: stops at the first that is refused, and then fails.
static void many(void) {
  const long wanted = number(2), first = number(4);
  const size_t size = (size_t)number(3);
  static char bytes[65536];
  char path[256];
  memset(bytes, 'm', sizeof bytes);
  if (size > sizeof bytes) abort();
  for (long i = 0; i < wanted; i++) {
    snprintf(path, sizeof path, "%s/%08ld", argument(1, "/kv/many"), first + i);
    if (!try_write(path, bytes, size)) {
      const int why = errno;
      fprintf(stderr, "bank: refused at %ld: %s\n", i, strerror(why));
      errno = why;
      give_up("many");
    }
  }
  printf("%ld\n", wanted);
}

// longname&BYTES: a key whose name is that long.
static void long_name(void) {
  const size_t size = (size_t)number(1);
  char* path = malloc(size + 32);
  if (!path) give_up("malloc");
  const size_t at = (size_t)sprintf(path, "/kv/names/");
  memset(path + at, 'n', size);
  path[at + size] = 0;
  if (try_write(path, "v", 1))
    printf("ok\n");
  else
    printf("errno %d %s\n", errno, strerror(errno));
}

// badname: bytes that are no text.
static void bad_name(void) {
  if (try_write("/kv/names/\xff\xfe", "v", 1))
    printf("ok\n");
  else
    printf("errno %d %s\n", errno, strerror(errno));
}

// hold&MS: a view of the data, kept open.
static void hold(void) {
  const long ms = number(1);
  read_number("/kv/hot/key");
  nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
  const int fd = open("/kv/hot/other", O_RDONLY);
  if (fd < 0 && errno != ENOENT) give_up("the view");
  printf("held\n");
}

static const struct {
  const char* name;
  void (*run)(void);
} kCommands[] = {
    {"order", order},      {"cat", cat},           {"list", list}, {"increment", increment},
    {"write", write_text}, {"large", write_large}, {"many", many}, {"longname", long_name},
    {"badname", bad_name}, {"hold", hold}};

int main(void) {
  char* query = getenv("QUERY_STRING");
  for (char* part = strtok(query ? strdup(query) : NULL, "&"); part && count < 8;
       part = strtok(NULL, "&")) {
    arguments[count++] = part;
  }
  printf("content-type: text/plain\n\n");
  for (size_t i = 0; i < sizeof kCommands / sizeof *kCommands; i++) {
    if (strcmp(argument(0, ""), kCommands[i].name)) continue;
    kCommands[i].run();
    return 0;
  }
  fprintf(stderr, "bank: no such command\n");
  return 2;
}
