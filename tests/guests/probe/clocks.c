// Time, sleeping, polling, randomness.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

static long long nanoseconds(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now)) return -1;
  return (long long)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int clocks(Arguments arguments) {
  (void)arguments;
  long long before = nanoseconds(CLOCK_MONOTONIC), steps = 0;
  check(before >= 0, "the monotonic clock can be read");
  // Clocks may be coarse but never go back, and move on while a program asks.
  const long long start = before;
  for (long i = 0; i < 50000000 && steps < 3; i++) {
    const long long now = nanoseconds(CLOCK_MONOTONIC);
    if (now < before) {
      check(0, "the monotonic clock never goes back");
      break;
    }
    steps += now > before;
    before = now;
  }
  check(steps == 3, "the monotonic clock moves on between calls");
  check(before - start < 10000000000, "three steps of the clock take less than ten seconds");
  const long long real = nanoseconds(CLOCK_REALTIME);
  check(real > 1700000000LL * 1000000000, "the real time is after 2023");
  struct timespec resolution;
  check(clock_getres(CLOCK_MONOTONIC, &resolution) == 0, "the monotonic clock has a resolution");
  check(resolution.tv_sec > 0 || resolution.tv_nsec > 0, "the resolution is not zero");
  return checked();
}

static int sleep_for(Arguments arguments) {
  const long ms = number_argument(arguments, 0, 50);
  const long long before = nanoseconds(CLOCK_MONOTONIC);
  const int result = nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
  const long long took = (nanoseconds(CLOCK_MONOTONIC) - before) / 1000000;
  check(result == 0, "nanosleep succeeds");
  // A coarse clock may have been about to step at the start.
  check(took >= ms - 2, "it sleeps at least that long");
  const int status = checked();
  fprintf(stderr, "asked for %ld ms, took %lld ms\n", ms, took);
  return status;
}

static int poll_input(Arguments arguments) {
  const int ms = (int)number_argument(arguments, 0, 50);
  struct pollfd fds[2] = {{.fd = 0, .events = POLLRDNORM}, {.fd = 1, .events = POLLWRNORM}};
  check(poll(fds, 2, ms) >= 1, "standard output or input is ready");
  check(fds[1].revents & POLLWRNORM, "standard output can be written");
  // Only the clock: nothing is ready, the time-out ends it.
  const long long before = nanoseconds(CLOCK_MONOTONIC);
  check(poll(fds, 0, ms) == 0 || errno == ENOTSUP, "a poll of nothing ends with its time-out");
  check(nanoseconds(CLOCK_MONOTONIC) - before < (ms + 5000) * 1000000LL, "and soon after it");
  struct pollfd closed = {.fd = 77, .events = POLLRDNORM};
  const int result = poll(&closed, 1, ms);
  check(result == -1 || (result == 1 && closed.revents & (POLLNVAL | POLLERR)),
        "a descriptor that is not open is an error");
  return checked();
}

static int randomness(Arguments arguments) {
  static unsigned char a[65536], b[65536];
  long n = number_argument(arguments, 0, 16);
  if (n > (long)sizeof a) n = sizeof a;
  for (long at = 0; at < n; at += 256) {
    const size_t some = n - at < 256 ? (size_t)(n - at) : 256;
    if (getentropy(a + at, some) || getentropy(b + at, some)) return 74;
  }
  if (n >= 16) check(memcmp(a, b, (size_t)n) != 0, "two draws differ");
  for (long i = 0; i < n && i < 32; i++) printf("%02x", a[i]);
  printf("\n");
  return checked();
}

// Busy for that long by the clock, with no call but the clock's.
static int spin(Arguments arguments) {
  const long long until = nanoseconds(CLOCK_MONOTONIC) + number_argument(arguments, 0, 100) * 1000000LL;
  unsigned long rounds = 0;
  while (nanoseconds(CLOCK_MONOTONIC) < until) rounds++;
  printf("spun\n");
  fprintf(stderr, "%lu rounds\n", rounds);
  return 0;
}

const Command kClockCommands[] = {
    {"clock", "checks of the clocks", clocks},
    {"sleep", "[MS]: sleeps, and checks how long", sleep_for},
    {"poll", "[MS]: polls standard streams and time-outs", poll_input},
    {"random", "[N]: N random bytes in hexadecimal, at most 32 shown", randomness},
    {"spin", "[MS]: is busy that long by the clock", spin},
    {NULL, NULL, NULL},
};
