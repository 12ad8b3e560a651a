// What the shop has.
//
//   GET  /stock/:sku             how many are left
//   POST /stock/:sku?add=20      a delivery; needs the key of the warehouse as X-Stock-Key
//
// The stock is a counter, added to when the turn commits. The key is the secret STOCK_KEY: it is in
// no environment, no log and no listing.
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kMostAtOnce = 100000 };

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

static void problem(int status, const char *title, const char *detail) {
  printf("Status: %d\nContent-Type: application/problem+json\n\n", status);
  printf("{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n", title, status,
         detail);
}

static _Noreturn void give_up(const char *path) {
  fprintf(stderr, "stock: %s: %s\n", path, strerror(errno));
  exit(1);
}

// The file's text; false if there is none.
static bool read_text(const char *path, char *text, size_t size) {
  const int file = open(path, O_RDONLY);
  if (file < 0 && errno == ENOENT) return false;
  const ssize_t n = file < 0 ? -1 : read(file, text, size - 1);
  if (n < 0) give_up(path);
  text[n] = 0;
  close(file);
  return true;
}

// Takes as long for a wrong key as for the right one.
static bool same(const char *given, const char *wanted) {
  const size_t size = strlen(wanted);
  unsigned differs = strlen(given) != size;
  for (size_t i = 0; i < size && given[i]; i++) differs |= (unsigned)(given[i] ^ wanted[i]);
  return !differs;
}

static void deliver(const char *path) {
  char key[256];
  if (!read_text("/secrets/STOCK_KEY", key, sizeof key)) {
    return problem(503, "Service Unavailable", "the shop has no STOCK_KEY: carrel secret set shop STOCK_KEY");
  }
  if (!same(environment("HTTP_X_STOCK_KEY"), key)) {
    return problem(403, "Forbidden", "X-Stock-Key is not the warehouse's key");
  }
  const char *query = environment("QUERY_STRING");
  char *end = NULL;
  const long added = strncmp(query, "add=", 4) ? 0 : strtol(query + 4, &end, 10);
  if (added < 1 || added > kMostAtOnce || *end) {
    return problem(422, "Unprocessable Content", "say POST /stock/SKU?add=N with N from 1 to 100000");
  }
  char text[32];
  const int size = snprintf(text, sizeof text, "+%ld", added);
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0 || write(file, text, (size_t)size) != size || close(file) != 0) give_up(path);
  printf("Status: 204\n\n");
}

int main(void) {
  const char *sku = environment("CARREL_PARAM_SKU");
  const size_t size = strspn(sku, "abcdefghijklmnopqrstuvwxyz0123456789-");
  if (size == 0 || size > 100 || sku[size]) {
    problem(404, "Not Found", "no such product");
    return 0;
  }
  char path[160], text[32];
  snprintf(path, sizeof path, "/counters/stock/%s", sku);
  if (!strcmp(environment("REQUEST_METHOD"), "POST")) {
    deliver(path);
    return 0;
  }
  const long left = read_text(path, text, sizeof text) ? strtol(text, NULL, 10) : 0;
  printf("Content-Type: application/json\n\n{\"sku\":\"%s\",\"left\":%ld}\n", sku, left);
  return 0;
}
