// The guests of the turn benchmark, one source, a route each (-DKIND):
//   durable    reads one key of many, picked at random, and writes it
//   hot        reads, changes and writes one key
//   counter    adds to one counter
//   read       reads one key of many
//   stateless  the same reply without reading
//   load       writes 10,000 keys from the number in QUERY_STRING on
// WASI is called as it is, so that what is measured is Carrel and not a C library's search for its
// folders.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <wasi/api.h>

#define durable 1
#define hot 2
#define counter 3
#define read_only 4
#define stateless 5
#define load 6

enum { kRoot = 3, kValue = 100 };  // the first folder there is, "/"; bytes of a value
#define READ_WRITE (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE)
// Every kind uses some of what follows.
#pragma clang diagnostic ignored "-Wunused-function"

#ifndef KEYS
#define KEYS 10000
#endif

static char name[] = "kv/bench/k00000000";

static _Noreturn void fail(int why) { __wasi_proc_exit((__wasi_exitcode_t)(why ? why : 1)); }

static __wasi_fd_t open_path(const char* path, __wasi_oflags_t how, __wasi_rights_t rights) {
  __wasi_fd_t fd;
  const int why = __wasi_path_open(kRoot, 0, path, how, rights, 0, 0, &fd);
  if (why) fail(why);
  return fd;
}

static void close_file(__wasi_fd_t fd) {
  const int why = __wasi_fd_close(fd);
  if (why) fail(why);
}

static size_t read_from(__wasi_fd_t fd, char* bytes, size_t size) {
  const __wasi_iovec_t part = {(uint8_t*)bytes, size};
  __wasi_size_t n;
  const int why = __wasi_fd_read(fd, &part, 1, &n);
  if (why) fail(why);
  return n;
}

static void write_to(__wasi_fd_t fd, const char* bytes, size_t size) {
  const __wasi_ciovec_t part = {(const uint8_t*)bytes, size};
  __wasi_size_t n;
  const int why = __wasi_fd_write(fd, &part, 1, &n);
  if (why || n != size) fail(why);
}

static void write_at_start(__wasi_fd_t fd, const char* bytes, size_t size) {
  const __wasi_ciovec_t part = {(const uint8_t*)bytes, size};
  __wasi_size_t n;
  const int why = __wasi_fd_pwrite(fd, &part, 1, 0, &n);
  if (why || n != size) fail(why);
}

static void name_key(uint32_t number) {
  for (int i = sizeof name - 2; number > 0; i--, number /= 10) name[i] = (char)('0' + number % 10);
}

static void name_any(void) {
  uint32_t random;
  if (__wasi_random_get((uint8_t*)&random, sizeof random)) fail(3);
  name_key((uint32_t)(((uint64_t)random * KEYS) >> 32));
}

static void reply(char last) {
  static char text[] = "content-type: text/plain\n\ndone .\n";
  text[sizeof text - 3] = last;
  write_to(1, text, sizeof text - 1);
}

int main(void) {
  char value[kValue + 1] = {0};
  (void)value;
#if KIND == durable
  name_any();
  const __wasi_fd_t fd = open_path(name, 0, READ_WRITE);
  if (read_from(fd, value, kValue) != kValue) fail(2);
  value[0] = value[0] == 'z' ? 'a' : (char)(value[0] + 1);
  write_at_start(fd, value, kValue);
  close_file(fd);
  reply(value[0]);
#elif KIND == hot
  const __wasi_fd_t fd = open_path("kv/bench/hot", __WASI_OFLAGS_CREAT, READ_WRITE);
  const size_t n = read_from(fd, value, 20);
  value[n] = 0;
  uint64_t number = strtoull(value, NULL, 10) + 1;
  size_t at = 21;
  for (; number > 0; number /= 10) value[--at] = (char)('0' + number % 10);
  write_at_start(fd, value + at, 21 - at);
  close_file(fd);
  reply(value[20]);
#elif KIND == counter
  const __wasi_fd_t fd =
      open_path("counters/bench/hot", __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_WRITE);
  write_to(fd, "+1", 2);
  close_file(fd);
  reply('+');
#elif KIND == read_only
  name_any();
  const __wasi_fd_t fd = open_path(name, 0, __WASI_RIGHTS_FD_READ);
  if (read_from(fd, value, kValue) != kValue) fail(2);
  close_file(fd);
  reply(value[0]);
#elif KIND == stateless
  name_any();
  reply('a');
#elif KIND == load
  const char* query = getenv("QUERY_STRING");
  const uint32_t first = query ? (uint32_t)strtoul(query, NULL, 10) : 0;
  for (uint32_t i = first; i < first + 10000 && i < KEYS; i++) {
    // Bytes that do not compress to nothing.
    uint64_t seed = i * 0x9E3779B97F4A7C15u + 1;
    for (int j = 0; j < kValue; j++) {
      seed = seed * 6364136223846793005u + 1442695040888963407u;
      value[j] = (char)('a' + (seed >> 59) % 26);
    }
    name_key(i);
    const __wasi_fd_t fd = open_path(name, __WASI_OFLAGS_CREAT, __WASI_RIGHTS_FD_WRITE);
    write_to(fd, value, kValue);
    close_file(fd);
  }
  reply('.');
#endif
  return 0;
}
