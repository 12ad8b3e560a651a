// A world that is not what it was, for LD_PRELOAD: a wall clock that jumps, by the seconds in the
// file OTHER_WORLD_CLOCK, which the test changes; and another engine, by OTHER_WORLD_COMPILER, the
// program that is started in place of this one to compile modules.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static _Atomic int64_t* jump;
static const char* compiler;

__attribute__((constructor)) static void begin(void) {
  compiler = getenv("OTHER_WORLD_COMPILER");
  const char* file = getenv("OTHER_WORLD_CLOCK");
  const int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return;
  void* at = mmap(NULL, sizeof *jump, PROT_READ, MAP_SHARED, fd, 0);
  if (at != MAP_FAILED) jump = at;
}

// The allocator asks for the time before anything can be looked up: hence the system call.
int clock_gettime(clockid_t clock, struct timespec* out) {
  const int failed = (int)syscall(SYS_clock_gettime, clock, out);
  if (!failed && jump && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
    out->tv_sec += *jump;
  return failed;
}

int gettimeofday(struct timeval* restrict out, void* restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out) *out = now.tv_sec;
  return now.tv_sec;
}

int posix_spawn(pid_t* child, const char* path, const posix_spawn_file_actions_t* files,
                const posix_spawnattr_t* attributes, char* const arguments[],
                char* const environment[]) {
  if (compiler && !strcmp(path, "/proc/self/exe")) path = compiler;
  __typeof__(&posix_spawn) spawn = (__typeof__(spawn))dlsym(RTLD_NEXT, "posix_spawn");
  return spawn(child, path, files, attributes, arguments, environment);
}
