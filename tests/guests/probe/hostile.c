// What a host must survive, and what must not leak from one instance into the next.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static const size_t kPage = 65536;

static int loop(Arguments arguments) {
  (void)arguments;
  for (volatile unsigned i = 0;; i++) {
  }
}

// A loop that spends its time in the host: 1 MiB of randomness a call.
static int host_loop(Arguments arguments) {
  (void)arguments;
  static char buffer[256];
  struct timespec now;
  for (;;) {
    getentropy(buffer, sizeof buffer);
    clock_gettime(CLOCK_MONOTONIC, &now);
  }
}

static int recurse_into(volatile int depth) {
  volatile char frame[256];
  frame[depth & 255] = (char)depth;
  if (depth < 0) return 0;
  return recurse_into(depth + 1) + frame[(depth + 1) & 255];
}

static int recurse(Arguments arguments) {
  (void)arguments;
  return recurse_into(0);
}

static int trap(Arguments arguments) {
  (void)arguments;
  __builtin_trap();
}

static int aborts(Arguments arguments) {
  (void)arguments;
  abort();
}

// Writes to every page, so that the memory is really there. Without a size: until it is refused.
static int grow(Arguments arguments) {
  const long wanted = number_argument(arguments, 0, 65536);
  long mib = 0;
  for (; mib < wanted; mib++) {
    const size_t before = __builtin_wasm_memory_grow(0, 16);
    if (before == SIZE_MAX) break;
    for (size_t page = 0; page < 16; page++) ((volatile char *)((before + page) * kPage))[0] = 1;
  }
  printf("grew by %ld MiB\n", mib);
  return 0;
}

// Looks for what an earlier instance left in grown memory, then leaves something there itself.
static int isolation(Arguments arguments) {
  const size_t pages = (size_t)number_argument(arguments, 0, 4) * 16;
  const size_t before = __builtin_wasm_memory_grow(0, pages);
  if (before == SIZE_MAX) return printf("cannot grow\n"), 1;
  uint64_t *words = (uint64_t *)(before * kPage);
  const size_t count = pages * kPage / sizeof *words;
  for (size_t i = 0; i < count; i++) {
    if (words[i]) {
      printf("DIRTY at word %zu of grown memory: %016llx\n", i, (unsigned long long)words[i]);
      return 1;
    }
  }
  // Static data too: it must be as the module has it.
  static uint64_t initialised[512] = {[0] = 0x1122334455667788}, zeroed[8192];
  for (size_t i = 0; i < 8192; i++) {
    if (zeroed[i]) return printf("DIRTY at word %zu of static memory\n", i), 1;
  }
  if (initialised[0] != 0x1122334455667788) return printf("DIRTY initialised data\n"), 1;
  for (size_t i = 0; i < count; i++) words[i] = 0xa5a5a5a5a5a5a5a5;
  memset(zeroed, 0xa5, sizeof zeroed);
  memset(initialised, 0xa5, sizeof initialised);
  // The compiler must not see these stores as dead.
  __asm__ volatile("" : : "r"(zeroed), "r"(initialised), "r"(words) : "memory");
  printf("clean\n");
  return 0;
}

static int open_many(Arguments arguments) {
  const long wanted = number_argument(arguments, 0, 100000);
  const char *path = text_argument(arguments, 1, "/tmp/probe");
  const int created = open(path, O_CREAT | O_RDWR, 0666);
  if (created < 0) return printf("%s: %s\n", path, strerror(errno)), 1;
  long n = 1;
  while (n < wanted && open(path, O_RDONLY) >= 0) n++;
  if (n < wanted) printf("opened %ld, then %s\n", n, strerror(errno));
  else printf("opened %ld\n", n);
  return 0;
}

static int fill(Arguments arguments) {
  static char block[65536];
  memset(block, 'f', sizeof block);
  const char *path = text_argument(arguments, 0, "/tmp/fill");
  const long long most = (long long)number_argument(arguments, 1, 2047) << 20;
  const int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0666);
  if (fd < 0) return printf("%s: %s\n", path, strerror(errno)), 1;
  long long written = 0;
  ssize_t n = 0;
  while (written < most && (n = write(fd, block, sizeof block)) > 0) written += n;
  printf("wrote %lld bytes%s%s\n", written, n < 0 ? ", then " : "", n < 0 ? strerror(errno) : "");
  return 0;
}

// Many small files, which cost a host more than their bytes.
static int fill_names(Arguments arguments) {
  const char *folder = text_argument(arguments, 0, "/tmp");
  const long wanted = number_argument(arguments, 1, 100000);
  char path[512];
  long n = 0;
  for (; n < wanted; n++) {
    snprintf(path, sizeof path, "%s/%ld", folder, n);
    const int fd = open(path, O_CREAT | O_WRONLY, 0666);
    if (fd < 0) break;
    close(fd);
  }
  printf("made %ld files%s%s\n", n, n < wanted ? ", then " : "", n < wanted ? strerror(errno) : "");
  return 0;
}

const Command kHostileCommands[] = {
    {"loop", "never ends", loop},
    {"hostloop", "never ends, in the host", host_loop},
    {"recurse", "calls itself without end", recurse},
    {"trap", "an unreachable instruction", trap},
    {"abort", "the C library's abort()", aborts},
    {"grow", "[MIB]: grows and touches memory until refused", grow},
    {"isolation", "[MIB]: looks for another instance's memory, then leaves a pattern", isolation},
    {"open", "[N [FILE]]: opens one file many times and keeps it open", open_many},
    {"fill", "[FILE [MIB]]: writes until refused", fill},
    {"names", "[DIR [N]]: makes empty files until refused", fill_names},
    {NULL, NULL, NULL},
};
