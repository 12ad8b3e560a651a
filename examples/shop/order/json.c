#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kMaxDepth = 32 };

static bool fail(Json *json) {
  json->failed = true;
  return false;
}

static void skip_space(Json *json) {
  while (json->at < json->end && strchr(" \t\r\n", *json->at) && *json->at) json->at++;
}

Json json_over(const char *text, size_t size) { return (Json){text, text + size, false}; }

bool json_take(Json *json, char c) {
  if (json->failed) return false;
  skip_space(json);
  if (json->at == json->end || *json->at != c) return false;
  json->at++;
  return true;
}

static bool hex4(Json *json, unsigned *out) {
  if (json->end - json->at < 4) return fail(json);
  *out = 0;
  for (int i = 0; i < 4; i++) {
    const char c = *json->at++;
    unsigned digit;
    if (c >= '0' && c <= '9') digit = (unsigned)(c - '0');
    else if ((c | 32) >= 'a' && (c | 32) <= 'f') digit = (unsigned)((c | 32) - 'a') + 10;
    else return fail(json);
    *out = *out * 16 + digit;
  }
  return true;
}

static bool unicode_escape(Json *json, unsigned *code) {
  if (!hex4(json, code)) return false;
  if (*code >= 0xdc00 && *code < 0xe000) return fail(json);
  if (*code < 0xd800 || *code >= 0xdc00) return *code != 0 || fail(json);
  unsigned low;
  if (json->end - json->at < 2 || json->at[0] != '\\' || json->at[1] != 'u') return fail(json);
  json->at += 2;
  if (!hex4(json, &low)) return false;
  if (low < 0xdc00 || low >= 0xe000) return fail(json);
  *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
  return true;
}

static size_t encode_utf8(unsigned code, char *out) {
  if (code < 0x80) return out[0] = (char)code, 1;
  if (code < 0x800) return out[0] = (char)(0xc0 | code >> 6), out[1] = (char)(0x80 | (code & 63)), 2;
  size_t n = 0;
  if (code < 0x10000) {
    out[n++] = (char)(0xe0 | code >> 12);
  } else {
    out[n++] = (char)(0xf0 | code >> 18);
    out[n++] = (char)(0x80 | (code >> 12 & 63));
  }
  out[n++] = (char)(0x80 | (code >> 6 & 63));
  out[n++] = (char)(0x80 | (code & 63));
  return n;
}

static bool escape(Json *json, char *out, size_t *n) {
  static const char kFrom[] = "\"\\/bfnrt", kTo[] = "\"\\/\b\f\n\r\t";
  if (json->at == json->end) return fail(json);
  const char c = *json->at++;
  if (c == 'u') {
    unsigned code;
    if (!unicode_escape(json, &code)) return false;
    *n = encode_utf8(code, out);
    return true;
  }
  const char *found = c ? strchr(kFrom, c) : NULL;
  if (!found) return fail(json);
  out[0] = kTo[found - kFrom];
  *n = 1;
  return true;
}

bool json_string(Json *json, char *out, size_t size) {
  if (!json_take(json, '"')) return fail(json);
  size_t length = 0;
  while (json->at < json->end && *json->at != '"') {
    char bytes[4];
    size_t n = 1;
    bytes[0] = *json->at++;
    if ((unsigned char)bytes[0] < 0x20) return fail(json);
    if (bytes[0] == '\\' && !escape(json, bytes, &n)) return false;
    if (length + n >= size) return fail(json);
    memcpy(out + length, bytes, n);
    length += n;
  }
  if (json->at == json->end) return fail(json);
  json->at++;
  out[length] = '\0';
  return true;
}

// A number as it is written.
static bool number_text(Json *json, char *out, size_t size) {
  skip_space(json);
  size_t n = 0;
  while (json->at < json->end && *json->at && strchr("+-.0123456789eE", *json->at)) {
    if (n + 1 >= size) return fail(json);
    out[n++] = *json->at++;
  }
  out[n] = '\0';
  char *rest;
  strtod(out, &rest);
  return (n > 0 && *rest == '\0') || fail(json);
}

bool json_text(Json *json, char *out, size_t size) {
  if (json->failed) return false;
  skip_space(json);
  if (json->at < json->end && *json->at == '"') return json_string(json, out, size);
  return number_text(json, out, size);
}

bool json_integer(Json *json, long long *out) {
  char text[24], *rest;
  if (json->failed || !number_text(json, text, sizeof text)) return false;
  *out = strtoll(text, &rest, 10);
  return *rest == '\0' || fail(json);
}

static bool skip_string(Json *json) {
  json->at++;
  for (; json->at < json->end; json->at++) {
    if (*json->at == '"') return json->at++, true;
    if (*json->at == '\\' && json->at + 1 < json->end) json->at++;
  }
  return fail(json);
}

static bool skip_word(Json *json) {
  static const char *const kWords[] = {"true", "false", "null"};
  for (size_t i = 0; i < 3; i++) {
    const size_t n = strlen(kWords[i]);
    if ((size_t)(json->end - json->at) >= n && !memcmp(json->at, kWords[i], n)) {
      json->at += n;
      return true;
    }
  }
  char number[64];
  return number_text(json, number, sizeof number);
}

static bool skip_value(Json *json, int depth) {
  if (json->failed || depth > kMaxDepth) return fail(json);
  skip_space(json);
  if (json->at == json->end) return fail(json);
  bool first = true;
  char key[256];
  switch (*json->at) {
    case '"':
      return skip_string(json);
    case '{':
      while (json_next_member(json, &first, key, sizeof key)) skip_value(json, depth + 1);
      return !json->failed;
    case '[':
      while (json_next_element(json, &first)) skip_value(json, depth + 1);
      return !json->failed;
    default:
      return skip_word(json);
  }
}

bool json_skip(Json *json) { return skip_value(json, 0); }

// Moves to the next item of a list that `open` starts and `close` ends.
static bool next_item(Json *json, bool *first, char open, char close) {
  if (json->failed) return false;
  if (*first) {
    if (!json_take(json, open)) return fail(json);
    *first = false;
    return !json_take(json, close);
  }
  if (json_take(json, close)) return false;
  return json_take(json, ',') || fail(json);
}

bool json_next_member(Json *json, bool *first, char *key, size_t size) {
  if (!next_item(json, first, '{', '}')) return false;
  if (!json_string(json, key, size)) return false;
  return json_take(json, ':') || fail(json);
}

bool json_next_element(Json *json, bool *first) { return next_item(json, first, '[', ']'); }

bool json_finished(Json *json) {
  skip_space(json);
  return !json->failed && json->at == json->end;
}

bool json_is_utf8(const char *text) {
  const unsigned char *c = (const unsigned char *)text;
  while (*c) {
    const int more = *c < 0x80 ? 0 : *c >= 0xc2 && *c < 0xe0 ? 1 : *c >= 0xe0 && *c < 0xf0 ? 2
                   : *c >= 0xf0 && *c < 0xf5 ? 3 : -1;
    if (more < 0) return false;
    // The second byte of some leads is bound more tightly: no overlong form, no surrogate.
    if ((*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] > 0x9f) || (*c == 0xf0 && c[1] < 0x90) ||
        (*c == 0xf4 && c[1] > 0x8f)) {
      return false;
    }
    c++;
    for (int i = 0; i < more; i++, c++) {
      if ((*c & 0xc0) != 0x80) return false;
    }
  }
  return true;
}

void json_print_string(const char *text) {
  putchar('"');
  for (const char *c = text; *c; c++) {
    if (*c == '"' || *c == '\\') printf("\\%c", *c);
    else if ((unsigned char)*c < 0x20) printf("\\u%04x", (unsigned)*c);
    else putchar(*c);
  }
  putchar('"');
}
