// GET /exchange/:currency?cents=1990: what a sum in euros is in another currency.
//
//   200  the sum, by today's rate
//   404  the rates service knows no such currency
//   422  `cents` is no sum
//   502  it answers with what is no rate      503  it does not answer; ask again
//
// The rate comes from the service at RATES_URL, asked through /http/new. A rate is a decimal number
// of at most six places: "1.0853".
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Their product fits into 63 bits, with the places.
enum { kMostCents = 10000000, kPlaces = 6, kMillion = 1000000, kMostWhole = 100000 };

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

static void problem(int status, const char *title, const char *detail) {
  printf("Status: %d\nContent-Type: application/problem+json\n", status);
  if (status == 503) printf("Retry-After: 10\n");
  printf("\n{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n", title, status, detail);
}

// The response of the service, head and body; false if there is none: errno says why.
static bool ask(const char *currency, char *response, size_t size) {
  const int call = open("/http/new", O_RDWR);
  if (call < 0) return false;
  dprintf(call, "GET %s/rates/EUR/%s HTTP/1.1\nAccept: text/plain\n\n", environment("RATES_URL"), currency);
  size_t have = 0;
  ssize_t n;
  while ((n = read(call, response + have, size - 1 - have)) > 0) have += (size_t)n;
  const int error = errno;
  close(call);
  errno = error;
  response[have] = 0;
  return n == 0;
}

// In millionths; 0: it is no rate.
static long long rate_of(const char *text) {
  const size_t digits = strspn(text, "0123456789");
  if (digits == 0 || digits > 6) return 0;
  long long rate = strtoll(text, NULL, 10);
  text += digits;
  if (rate > kMostWhole) return 0;
  const bool has_places = *text == '.';
  if (has_places) text++;
  for (int i = 0; i < kPlaces; i++) {
    const bool digit = has_places && *text >= '0' && *text <= '9';
    rate = rate * 10 + (digit ? *text++ - '0' : 0);
  }
  return text[strspn(text, "\r\n")] ? 0 : rate;
}

static long sum(void) {
  const char *query = environment("QUERY_STRING");
  if (strncmp(query, "cents=", 6)) return -1;
  const size_t digits = strspn(query + 6, "0123456789");
  if (digits == 0 || digits > 8 || query[6 + digits]) return -1;
  const long cents = strtol(query + 6, NULL, 10);
  return cents > kMostCents ? -1 : cents;
}

static void exchange(const char *currency, long cents) {
  static char response[16384];
  if (!ask(currency, response, sizeof response)) {
    fprintf(stderr, "exchange: %s: %s\n", environment("RATES_URL"), strerror(errno));
    return problem(503, "Service Unavailable", "there are no exchange rates at the moment");
  }
  const long status = strtol(response + strlen("HTTP/1.1 "), NULL, 10);
  if (status == 404) return problem(404, "Not Found", "there is no rate for this currency");
  const char *body = strstr(response, "\r\n\r\n");
  const long long rate = status == 200 && body ? rate_of(body + 4) : 0;
  if (rate == 0) return problem(502, "Bad Gateway", "the exchange rate cannot be read");
  printf("Content-Type: application/json\n\n{\"currency\":\"%s\",\"cents\":%lld,\"rate\":\"%lld.%06lld\"}\n", currency,
         (cents * rate + kMillion / 2) / kMillion, rate / kMillion, rate % kMillion);
}

int main(void) {
  const char *currency = environment("CARREL_PARAM_CURRENCY");
  const long cents = sum();
  if (strspn(currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 || currency[3]) {
    problem(404, "Not Found", "a currency has three capital letters");
  } else if (cents < 0) {
    problem(422, "Unprocessable Content", "say GET /exchange/USD?cents=1990, at most 10000000");
  } else {
    exchange(currency, cents);
  }
  return 0;
}
