// POST /order: takes an order as a form or as JSON, checks it against the products and answers.
//
//   201  the order, with its number and total; as HTML if a browser sent a form
//   400  the body is not a form or not JSON          415  it is neither
//   413  the body is longer than 64 KiB              422  fields need correction (problem details)
//
// The number of an order is a hash of its fields: sent twice, an order has one number.
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "form.h"
#include "json.h"

enum { kMaxBody = 64 * 1024 };

typedef struct {
  char name[kFieldSize];
  long long price_cents;
  long long stock;
} Product;

typedef struct {
  int count;
  int fields[kFieldCount];
  char details[kFieldCount][96];
} Faults;

static const char *environment(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value && *value ? value : otherwise;
}

static int problem(int status, const char *title, const char *detail, const Faults *faults) {
  printf("Status: %d %s\nContent-Type: application/problem+json\n\n", status, title);
  printf("{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":", title, status);
  json_print_string(detail);
  if (faults) {
    printf(",\"errors\":[");
    for (int i = 0; i < faults->count; i++) {
      printf("%s{\"field\":\"%s\",\"detail\":", i ? "," : "", kFieldNames[faults->fields[i]]);
      json_print_string(faults->details[i]);
      putchar('}');
    }
    putchar(']');
  }
  printf("}\n");
  return 0;
}

static void print_html(const char *text) {
  for (const char *c = text; *c; c++) {
    switch (*c) {
      case '<': printf("&lt;"); break;
      case '>': printf("&gt;"); break;
      case '&': printf("&amp;"); break;
      case '"': printf("&quot;"); break;
      default: putchar(*c);
    }
  }
}

static void page_start(int status, const char *title) {
  printf("Status: %d\nContent-Type: text/html; charset=utf-8\n\n", status);
  printf("<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>%s</title>"
         "<link rel=\"stylesheet\" href=\"/static/shop.css\"></head>\n<body><main>\n<h1>%s</h1>\n",
         title, title);
}

static void page_end(void) {
  printf("<p><a href=\"/\">Back to the shop</a></p>\n</main></body>\n</html>\n");
}

static void fault(Faults *faults, int field, const char *detail) {
  faults->fields[faults->count] = field;
  snprintf(faults->details[faults->count++], sizeof faults->details[0], "%s", detail);
}

// --- reading the body -------------------------------------------------------------------------

// Each returns 0, or the status to refuse the body with.
static int read_form(Fields *fields) {
  FormReader reader = form_reader(fields);
  char chunk[4096];
  size_t total = 0, n;
  while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0) {
    if ((total += n) > kMaxBody) return 413;
    form_feed(&reader, chunk, n);
  }
  return form_finish(&reader) ? 0 : 400;
}

static int read_json(Fields *fields) {
  static char body[kMaxBody + 1];
  const size_t size = fread(body, 1, sizeof body, stdin);
  if (size > kMaxBody) return 413;
  Json json = json_over(body, size);
  char key[64];
  for (bool first = true; json_next_member(&json, &first, key, sizeof key);) {
    const int field = field_by_name(key);
    if (field < 0) json_skip(&json);
    else json_text(&json, fields->values[field], kFieldSize);
  }
  return json_finished(&json) ? 0 : 400;
}

// --- checking ---------------------------------------------------------------------------------

static bool read_product(Json *json, const char *sku, Product *out) {
  char key[64], found[kFieldSize] = "";
  for (bool first = true; json_next_member(json, &first, key, sizeof key);) {
    if (!strcmp(key, "sku")) json_string(json, found, sizeof found);
    else if (!strcmp(key, "name")) json_string(json, out->name, sizeof out->name);
    else if (!strcmp(key, "price_cents")) json_integer(json, &out->price_cents);
    else if (!strcmp(key, "stock")) json_integer(json, &out->stock);
    else json_skip(json);
  }
  return !json->failed && !strcmp(found, sku);
}

// 1 found, 0 not found, -1 the file cannot be read.
static int find_product(const char *sku, Product *out) {
  FILE *file = fopen("/assets/products.json", "rb");
  if (!file) return -1;
  static char text[256 * 1024];
  const size_t size = fread(text, 1, sizeof text, file);
  fclose(file);
  Json json = json_over(text, size);
  for (bool first = true; json_next_element(&json, &first);) {
    if (read_product(&json, sku, out)) return 1;
  }
  return json.failed ? -1 : 0;
}

static bool is_email(const char *text) {
  const char *at = strchr(text, '@');
  if (!at || at == text || strchr(at + 1, '@') || strpbrk(text, " \t\r\n<>\"")) return false;
  const char *dot = strrchr(at, '.');
  return dot && dot > at + 1 && dot[1] != '\0';
}

static bool is_country(const char *text) {
  return strlen(text) == 2 && text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'A' && text[1] <= 'Z';
}

static long parse_quantity(const char *text) {
  char *rest;
  if (strlen(text) > 6 || !*text) return 0;
  const long value = strtol(text, &rest, 10);
  return *rest == '\0' ? value : 0;
}

static void check_quantity(const char *text, const Product *product, Faults *faults) {
  const long max = strtol(environment("MAX_QUANTITY", "50"), NULL, 10);
  const long quantity = parse_quantity(text);
  char detail[96];
  if (quantity < 1 || quantity > max) {
    snprintf(detail, sizeof detail, "must be a whole number from 1 to %ld", max);
    fault(faults, kQty, detail);
  } else if (product && quantity > product->stock) {
    snprintf(detail, sizeof detail, "only %lld in stock", product->stock);
    fault(faults, kQty, product->stock > 0 ? detail : "is sold out");
  }
}

static void check(const Fields *fields, const Product *product, Faults *faults) {
  if (!product) fault(faults, kSku, *fields->values[kSku] ? "no such product" : "is missing");
  check_quantity(fields->values[kQty], product, faults);
  if (!*fields->values[kName]) fault(faults, kName, "is missing");
  else if (fields->too_long[kName]) fault(faults, kName, "is too long");
  else if (!json_is_utf8(fields->values[kName])) fault(faults, kName, "must be UTF-8");
  if (fields->too_long[kEmail] || !is_email(fields->values[kEmail]))
    fault(faults, kEmail, "must be an e-mail address");
  if (!is_country(fields->values[kCountry]))
    fault(faults, kCountry, "must be a country code such as DE");
}

// --- answering --------------------------------------------------------------------------------

static bool wants_html(bool is_form) {
  return is_form && strstr(environment("HTTP_ACCEPT", ""), "text/html");
}

static int refuse(const Faults *faults, bool html) {
  if (!html)
    return problem(422, "Unprocessable Content", "The order has fields that need correction.", faults);
  page_start(422, "Please correct your order");
  printf("<ul class=\"faults\">\n");
  for (int i = 0; i < faults->count; i++) {
    printf("<li><b>%s</b> ", kFieldNames[faults->fields[i]]);
    print_html(faults->details[i]);
    printf("</li>\n");
  }
  printf("</ul>\n");
  page_end();
  return 0;
}

// FNV-1a over the fields and what separates them.
static uint64_t order_number(const Fields *fields) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (int i = 0; i < kFieldCount; i++) {
    const char *value = fields->values[i];
    for (size_t n = strlen(value) + 1; n > 0; n--) {
      hash = (hash ^ (unsigned char)*value++) * 0x100000001b3u;
    }
  }
  return hash;
}

static int accept_order(const Fields *fields, const Product *product, bool html) {
  const long quantity = parse_quantity(fields->values[kQty]);
  const long long total = quantity * product->price_cents;
  const uint64_t number = order_number(fields);
  if (html) {
    page_start(201, "Thank you for your order");
    printf("<p>%ld &times; ", quantity);
    print_html(product->name);
    printf(", %lld.%02lld EUR before tax, for ", total / 100, total % 100);
    print_html(fields->values[kName]);
    printf(".</p>\n<p>Order number <code>%016" PRIx64 "</code></p>\n", number);
    page_end();
    return 0;
  }
  printf("Status: 201 Created\nContent-Type: application/json\n\n");
  printf("{\"order\":\"%016" PRIx64 "\",\"sku\":", number);
  json_print_string(fields->values[kSku]);
  printf(",\"product\":");
  json_print_string(product->name);
  printf(",\"quantity\":%ld,\"net_cents\":%lld,\"customer\":", quantity, total);
  json_print_string(fields->values[kName]);
  printf(",\"country\":\"%s\"}\n", fields->values[kCountry]);
  return 0;
}

int main(void) {
  static Fields fields;
  const char *type = environment("CONTENT_TYPE", environment("HTTP_CONTENT_TYPE", ""));
  const bool is_form = !strncasecmp(type, "application/x-www-form-urlencoded", 33);
  const bool is_json = !strncasecmp(type, "application/json", 16);
  if (!is_form && !is_json)
    return problem(415, "Unsupported Media Type", "Send a form or application/json.", NULL);

  const int status = is_form ? read_form(&fields) : read_json(&fields);
  if (status == 413) return problem(413, "Content Too Large", "An order has at most 64 KiB.", NULL);
  if (status == 400)
    return problem(400, "Bad Request", is_form ? "The form is malformed." : "This is not an order in JSON.", NULL);

  Product product;
  const int found = find_product(fields.values[kSku], &product);
  if (found < 0) {
    fprintf(stderr, "order: /assets/products.json cannot be read\n");
    return 1;
  }
  Faults faults = {0};
  check(&fields, found ? &product : NULL, &faults);
  if (faults.count > 0) return refuse(&faults, wants_html(is_form));
  return accept_order(&fields, &product, wants_html(is_form));
}
