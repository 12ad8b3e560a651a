// Carts, and the orders they become.
//
//   PUT  /cart/:id/:sku?qty=2    so many of a product are in the cart; 0 takes it out
//   GET  /cart/:id               what is in it
//   POST /cart/:id/checkout      201: the order; 409: one of the products has run out
//
// A cart is a folder: /kv/carts/ID/SKU holds a quantity. An order takes its quantities out of the
// stock, counts itself, is written down and empties the cart, all in one turn: it happens wholly or
// not at all, and a stock never goes below zero however many check out at once.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kMostLines = 50, kMostOfOne = 1000, kPath = 512 };

typedef struct {
  char sku[128];
  long quantity;
} Line;

static const char *environment(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

// A failed store is nobody's order: the turn ends, and nothing of it stays.
static _Noreturn void give_up(const char *path) {
  fprintf(stderr, "cart: %s: %s\n", path, strerror(errno));
  exit(1);
}

static int answer(int status, const char *type) {
  return printf("Status: %d\nContent-Type: %s\n\n", status, type);
}

static void problem(int status, const char *title, const char *detail) {
  answer(status, "application/problem+json");
  printf("{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}\n", title, status,
         detail);
}

// Names of carts and products go into paths and into JSON as they are, so they are plain.
static bool plain(const char *name) {
  const size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return size > 0 && size < sizeof((Line *)0)->sku && name[size] == 0;
}

static long read_number(const char *path, long otherwise) {
  char text[32] = "";
  const int file = open(path, O_RDONLY);
  if (file < 0 && errno == ENOENT) return otherwise;
  if (file < 0 || read(file, text, sizeof text - 1) < 0) give_up(path);
  close(file);
  return strtol(text, NULL, 10);
}

static void write_text(const char *path, const char *text) {
  const int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const ssize_t size = (ssize_t)strlen(text);
  if (file < 0 || write(file, text, (size_t)size) != size || close(file) != 0) give_up(path);
}

static int read_cart(const char *folder, Line *lines) {
  DIR *open_folder = opendir(folder);
  if (!open_folder && errno == ENOENT) return 0;
  if (!open_folder) give_up(folder);
  int count = 0;
  for (struct dirent *entry; count < kMostLines && (entry = readdir(open_folder));) {
    if (!plain(entry->d_name)) continue;
    char path[kPath];
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    snprintf(lines[count].sku, sizeof lines->sku, "%s", entry->d_name);
    lines[count++].quantity = read_number(path, 0);
  }
  closedir(open_folder);
  return count;
}

static void print_lines(FILE *out, const Line *lines, int count) {
  fputc('[', out);
  for (int i = 0; i < count; i++) {
    fprintf(out, "%s{\"sku\":\"%s\",\"quantity\":%ld}", i ? "," : "", lines[i].sku, lines[i].quantity);
  }
  fputc(']', out);
}

static void put_line(const char *folder, const char *sku) {
  const char *query = environment("QUERY_STRING");
  char *end = NULL;
  const long quantity = strncmp(query, "qty=", 4) ? -1 : strtol(query + 4, &end, 10);
  if (quantity < 0 || quantity > kMostOfOne || !end || *end || !plain(sku)) {
    return problem(422, "Unprocessable Content", "say PUT /cart/ID/SKU?qty=N with N from 0 to 1000");
  }
  Line lines[kMostLines];
  if (quantity > 0 && read_cart(folder, lines) == kMostLines) {
    return problem(422, "Unprocessable Content", "a cart has 50 products at most");
  }
  char path[kPath], text[32];
  snprintf(path, sizeof path, "%s/%s", folder, sku);
  snprintf(text, sizeof text, "%ld", quantity);
  if (quantity > 0) write_text(path, text);
  if (quantity == 0 && unlink(path) != 0 && errno != ENOENT) give_up(path);
  printf("Status: 204\n\n");
}

static void check_out(const char *id, const char *folder) {
  Line lines[kMostLines];
  const int count = read_cart(folder, lines);
  if (count == 0) return problem(409, "Conflict", "the cart is empty");
  char path[kPath], text[256];
  // All is looked at before anything is written: a refusal is an answer too, and what its turn wrote stays.
  for (int i = 0; i < count; i++) {
    snprintf(path, sizeof path, "/counters/stock/%s", lines[i].sku);
    if (read_number(path, 0) < lines[i].quantity) {
      snprintf(text, sizeof text, "%s has run out", lines[i].sku);
      return problem(409, "Conflict", text);
    }
  }
  for (int i = 0; i < count; i++) {
    // The floor holds at the commit, whatever others ordered since this turn read the number.
    snprintf(path, sizeof path, "/counters/stock/%s", lines[i].sku);
    snprintf(text, sizeof text, "-%ld >=0", lines[i].quantity);
    write_text(path, text);
    snprintf(path, sizeof path, "%s/%s", folder, lines[i].sku);
    if (unlink(path) != 0) give_up(path);
  }
  write_text("/counters/orders/placed", "+1");

  char *order = NULL;
  size_t size = 0;
  FILE *out = open_memstream(&order, &size);
  fprintf(out, "{\"cart\":\"%s\",\"lines\":", id);
  print_lines(out, lines, count);
  fputs("}\n", out);
  fclose(out);
  unsigned long long number;
  if (getentropy(&number, sizeof number) != 0) give_up("the order's number");
  snprintf(path, sizeof path, "/kv/orders/%s/%016llx", id, number);
  write_text(path, order);
  answer(201, "application/json");
  fputs(order, stdout);
}

int main(void) {
  const char *id = environment("CARREL_PARAM_ID"), *sku = environment("CARREL_PARAM_SKU");
  const char *method = environment("REQUEST_METHOD");
  char folder[kPath];
  if (!plain(id)) {
    problem(422, "Unprocessable Content", "a cart's name is of small letters, digits and hyphens");
    return 0;
  }
  snprintf(folder, sizeof folder, "/kv/carts/%s", id);
  if (!strcmp(method, "PUT")) {
    put_line(folder, sku);
  } else if (!strcmp(method, "POST")) {
    check_out(id, folder);
  } else {
    Line lines[kMostLines];
    const int count = read_cart(folder, lines);
    answer(200, "application/json");
    print_lines(stdout, lines, count);
    putchar('\n');
  }
  return 0;
}
