/* What the hook benchmark asks of a WebHook's server: one request after another on one connection.
 *
 *   webhook_bench PORT INPUT COUNT     lines "p50 X" and "p99 X", in microseconds
 * A fifth of COUNT comes first and is not measured. INPUT is a file. The client does no more than
 * it must, so that the server's time is what counts. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static char request[1 << 20], answer[1 << 20];
static size_t request_size;
static int connection;

static void die(const char* what) {
  perror(what);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void* a, const void* b) {
  const double x = *(const double*)a, y = *(const double*)b;
  return (x > y) - (x < y);
}

/* The size of an answer as far as it is there; 0: not known yet. */
static size_t wanted(size_t there) {
  answer[there] = 0;
  const char* const end = strstr(answer, "\r\n\r\n");
  if (end == NULL) return 0;
  for (const char* line = answer; line < end; line = strstr(line, "\r\n") + 2)
    if (strncasecmp(line, "content-length:", 15) == 0)
      return (size_t)(end + 4 - answer) + (size_t)atol(line + 15);
  die("an answer without its length");
  return 0;
}

static void once(void) {
  if (write(connection, request, request_size) != (ssize_t)request_size) die("write");
  for (size_t there = 0, size = 0; size == 0 || there < size;) {
    const ssize_t n = read(connection, answer + there, sizeof answer - 1 - there);
    if (n <= 0) die("read");
    there += (size_t)n;
    size = wanted(there);
  }
  if (strncmp(answer, "HTTP/1.1 200", 12) != 0 || strstr(answer, "\"discount\":") == NULL)
    die("another answer");
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  static char body[1 << 19];
  FILE* const file = fopen(argv[2], "rb");
  if (file == NULL) die(argv[2]);
  const size_t size = fread(body, 1, sizeof body, file);
  request_size = (size_t)snprintf(request, sizeof request,
                                  "POST /discount HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                                  "application/json\r\nContent-Length: %zu\r\n\r\n%.*s",
                                  size, (int)size, body);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(connection, (struct sockaddr*)&to, sizeof to) != 0) die("connect");
  const int on = 1;
  setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int count = atoi(argv[3]);
  for (int i = 0; i < count / 5; ++i) once();
  double* const took = malloc((size_t)count * sizeof *took);
  for (int i = 0; i < count; ++i) {
    const double begin = now();
    once();
    took[i] = now() - begin;
  }
  qsort(took, (size_t)count, sizeof *took, by_value);
  printf("p50 %.3f\np99 %.3f\n", took[count / 2], took[(int)(count * 0.99)]);
  return 0;
}
