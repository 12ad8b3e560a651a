// Standard streams, environment, arguments, exit status, and replies as a CGI program writes them.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"

extern char **environ;

static int compare_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static void write_all(int fd, const char *bytes, size_t size) {
  fflush(stdout);  // what stdio holds goes first
  while (size > 0) {
    const ssize_t n = write(fd, bytes, size);
    if (n <= 0) {
      fprintf(stderr, "probe: write: %s\n", strerror(errno));
      exit(74);
    }
    bytes += n;
    size -= (size_t)n;
  }
}

static int echo(Arguments arguments) {
  (void)arguments;
  static char buffer[16384];
  ssize_t n;
  while ((n = read(0, buffer, sizeof buffer)) > 0) write_all(1, buffer, (size_t)n);
  return n == 0 ? 0 : 74;
}

// How much standard input held, and a sum over it; also how many reads that took.
static int count(Arguments arguments) {
  (void)arguments;
  static unsigned char buffer[16384];
  unsigned long long total = 0;
  unsigned sum = 0;
  ssize_t n;
  while ((n = read(0, buffer, sizeof buffer)) > 0) {
    total += (unsigned long long)n;
    for (ssize_t i = 0; i < n; i++) sum = sum * 31 + buffer[i];
  }
  printf("%llu bytes, sum %08x\n", total, sum);
  return n == 0 ? 0 : 74;
}

static int never_reads(Arguments arguments) {
  (void)arguments;
  printf("standard input was not read\n");
  return 0;
}

static int reads_some(Arguments arguments) {
  char buffer[4096];
  const long wanted = number_argument(arguments, 0, 1);
  const ssize_t n = read(0, buffer, wanted < 4096 ? (size_t)wanted : sizeof buffer);
  printf("read %zd of standard input\n", n);
  return 0;
}

static int environment(Arguments arguments) {
  if (arguments.count > 0) {
    const char *value = getenv(arguments.values[0]);
    printf("%s\n", value ? value : "(not set)");
    return 0;
  }
  size_t n = 0;
  while (environ[n]) n++;
  qsort(environ, n, sizeof *environ, compare_text);
  for (size_t i = 0; i < n; i++) printf("%s\n", environ[i]);
  return 0;
}

static int dump_arguments(Arguments arguments) {
  for (int i = 0; i < arguments.count; i++) printf("%d: %s\n", i + 1, arguments.values[i]);
  return 0;
}

static int exit_with(Arguments arguments) { exit((int)number_argument(arguments, 0, 0)); }

static int to_stderr(Arguments arguments) {
  fprintf(stderr, "%s\n", text_argument(arguments, 0, "a line on standard error"));
  printf("said on standard error\n");
  return 0;
}

static int big(Arguments arguments) {
  static char block[65536];
  memset(block, 'x', sizeof block);
  unsigned long long left = strtoull(text_argument(arguments, 0, "1048576"), NULL, 10);
  while (left > 0) {
    const size_t n = left < sizeof block ? (size_t)left : sizeof block;
    write_all(1, block, n);
    left -= n;
  }
  return 0;
}

// Lines with pauses between them: does the outside see each when it is written?
static int slow(Arguments arguments) {
  const long lines = number_argument(arguments, 0, 5), pause = number_argument(arguments, 1, 200);
  for (long i = 0; i < lines; i++) {
    printf("line %ld\n", i + 1);
    fflush(stdout);
    if (i + 1 < lines) {
      nanosleep(&(struct timespec){pause / 1000, pause % 1000 * 1000000}, NULL);
    }
  }
  return 0;
}

static int reply_status(Arguments arguments) {
  printf("Status: %s\nContent-Type: text/plain\n\nas asked\n", text_argument(arguments, 0, "200"));
  return 0;
}

static int reply_location(Arguments arguments) {
  printf("Location: %s\n\n", text_argument(arguments, 0, "/elsewhere"));
  return 0;
}

static int reply_both(Arguments arguments) {
  printf("Location: /elsewhere\nStatus: %s\n\n", text_argument(arguments, 0, "301"));
  return 0;
}

static int reply_without_type(Arguments arguments) {
  (void)arguments;
  printf("X-Probe: yes\n\nneither type nor status nor location\n");
  return 0;
}

static int reply_without_end(Arguments arguments) {
  (void)arguments;
  printf("Content-Type: text/plain\nX-Probe: the header block never ends");
  return 0;
}

static int reply_nothing(Arguments arguments) {
  (void)arguments;
  return 0;
}

static int reply_crlf(Arguments arguments) {
  (void)arguments;
  printf("Content-Type: text/plain\r\nX-Probe:  spaces  \r\n\r\nlines ended with CR LF\r\n");
  return 0;
}

// A header name and a value that would split the response, hop-by-hop names, a length that lies.
static int reply_hostile(Arguments arguments) {
  (void)arguments;
  printf("Content-Type: text/plain\nX Bad Name: 1\nX-Split: a\rSet-Cookie: b\n"
         "Transfer-Encoding: chunked\nConnection: close\nContent-Length: 3\n: empty\n"
         "no colon here\n\nlonger than three\n");
  return 0;
}

static int reply_flood(Arguments arguments) {
  const long headers = number_argument(arguments, 0, 100000);
  printf("Content-Type: text/plain\n");
  for (long i = 0; i < headers; i++) printf("X-Probe-%ld: value\n", i);
  printf("\nbody\n");
  return 0;
}

// The head arrives in pieces that end in the middle of a line.
static int reply_in_pieces(Arguments arguments) {
  (void)arguments;
  const char *text = "Status: 202\nContent-Type: text/plain\nX-Probe: yes\n\nin pieces\n";
  for (const char *c = text; *c; c++) write_all(1, c, 1);
  return 0;
}

const Command kStreamCommands[] = {
    {"echo", "standard input to standard output", echo},
    {"count", "bytes of standard input and their sum", count},
    {"noread", "answers without reading standard input", never_reads},
    {"readsome", "[N]: reads at most N bytes once, then answers", reads_some},
    {"env", "[NAME]: the environment, sorted, or one variable", environment},
    {"args", "the arguments, one a line", dump_arguments},
    {"exit", "N: exits with this status", exit_with},
    {"stderr", "[TEXT]: a line on standard error", to_stderr},
    {"big", "[BYTES]: that many on standard output", big},
    {"slow", "[LINES [MS]]: lines with pauses between them", slow},
    {"reply", "[STATUS]: a CGI reply with this status line", reply_status},
    {"replyloc", "[URL]: only a Location", reply_location},
    {"replyboth", "[STATUS]: a Location and a status", reply_both},
    {"replynone", "neither type, status nor location", reply_without_type},
    {"replyopen", "a header block without its end", reply_without_end},
    {"replynil", "nothing at all", reply_nothing},
    {"replycrlf", "CR LF line ends", reply_crlf},
    {"replybad", "names and values that would split the response", reply_hostile},
    {"replyflood", "[N]: N headers", reply_flood},
    {"replybits", "the head byte by byte", reply_in_pieces},
    {NULL, NULL, NULL},
};
