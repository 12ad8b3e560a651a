// A component that uses wasi:keyvalue in both drafts, wasi:config and wasi:logging, for tests. What it does is
// named by the request's path, with what: "/get?KEY".
#include "../web/wasi.h"

#define STORE "wasi:keyvalue/store@0.2.0-draft2"
#define ATOMICS "wasi:keyvalue/atomics@0.2.0-draft2"
#define OLD "0.2.0-draft"

IMPORT(STORE, "open") void store_open(const char *p, size_t n, void *r);
IMPORT(STORE, "[method]bucket.get") void bucket_get(handle self, const char *p, size_t n, void *r);
IMPORT(STORE, "[method]bucket.set")
void bucket_set(handle self, const char *p, size_t n, const char *value, size_t m, void *r);
IMPORT(STORE, "[method]bucket.delete") void bucket_delete(handle self, const char *p, size_t n, void *r);
IMPORT(STORE, "[method]bucket.exists") void bucket_exists(handle self, const char *p, size_t n, void *r);
IMPORT(STORE, "[method]bucket.list-keys")
void bucket_keys(handle self, int32_t some, const char *p, size_t n, void *r);
IMPORT(ATOMICS, "increment") void increment(handle bucket, const char *p, size_t n, int64_t by, void *r);
IMPORT(ATOMICS, "[static]cas.new") void cas_new(handle bucket, const char *p, size_t n, void *r);
IMPORT(ATOMICS, "swap") void cas_swap(handle cas, const char *value, size_t n, void *r);
IMPORT("wasi:keyvalue/store@" OLD, "open") void old_open(const char *p, size_t n, void *r);
IMPORT("wasi:keyvalue/atomics@" OLD, "increment")
void old_increment(handle bucket, const char *p, size_t n, int64_t by, void *r);
IMPORT("wasi:keyvalue/batch@" OLD, "get-many") void old_many(handle bucket, const text *keys, size_t n, void *r);
IMPORT("wasi:config/store@0.2.0-rc.1", "get") void config_get(const char *p, size_t n, void *r);
IMPORT("wasi:logging/logging@0.1.0-draft", "log")
void write_log(int32_t level, const char *where, size_t n, const char *message, size_t m);

static handle stream, body;

static void answer(handle outparam, int32_t status) {
  result r;
  const handle response = response_new(fields_new());
  response_status(response, status);
  response_body(response, &r);
  body = handle_of(&r);
  outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
  body_write(body, &r);
  stream = handle_of(&r);
}

static void say(text words) {
  result r;
  if (words.size > 0) stream_write(stream, words.data, words.size, &r);
}

static text number(int64_t n) {
  static char digits[24];
  char *at = digits + sizeof digits;
  const int negative = n < 0;
  if (negative) n = -n;
  do *--at = (char)('0' + n % 10);
  while ((n /= 10) > 0);
  if (negative) *--at = '-';
  return (text){at, (size_t)(digits + sizeof digits - at)};
}

static const char *const kErrors[] = {"no-such-store", "access-denied", "other: "};

// A failed result whose error is at `word`.
static void complain(const result *r, int word) {
  const int tag = r->word[word] & 0xff;
  say((text){kErrors[tag], strlen(kErrors[tag])});
  if (tag == 2) say(text_at(r, word + 1));
}

static void act(text path, text what) {
  result r;
  if (same(path, "/config")) {
    config_get(what.data, what.size, &r);
    if (r.tag == 0 && (r.word[1] & 0xff) == 1) say(text_at(&r, 2));
    return;
  }
  if (same(path, "/log")) return write_log(3, "place", 5, what.data, what.size);
  if (same(path, "/open")) {
    store_open(what.data, what.size, &r);
    return r.tag == 0 ? say((text){"open", 4}) : complain(&r, 1);
  }
  if (same(path, "/many") || same(path, "/old-increment")) {
    old_open("things", 6, &r);
    if (r.tag != 0) return complain(&r, 1);
    const handle old = r.word[1];
    if (same(path, "/old-increment")) {
      old_increment(old, what.data, what.size, 5, &r);
      return r.tag == 0 ? say(number(*(int64_t *)&r.word[2])) : complain(&r, 2);
    }
    const text keys[] = {what, {"absent", 6}};
    old_many(old, keys, 2, &r);
    if (r.tag != 0) return complain(&r, 1);
    // option, key, value
    const int32_t *entry = (const int32_t *)r.word[1];
    for (int32_t i = 0; i < r.word[2]; ++i, entry += 5) {
      if ((entry[0] & 0xff) == 0) {
        say((text){"none\n", 5});
        continue;
      }
      say((text){(const char *)entry[1], (size_t)entry[2]});
      say((text){"=", 1});
      say((text){(const char *)entry[3], (size_t)entry[4]});
      say((text){"\n", 1});
    }
    return;
  }
  store_open("things", 6, &r);
  if (r.tag != 0) return complain(&r, 1);
  const handle bucket = r.word[1];
  if (same(path, "/get")) {
    bucket_get(bucket, what.data, what.size, &r);
    if (r.tag != 0) return complain(&r, 1);
    return (r.word[1] & 0xff) == 0 ? say((text){"(none)", 6}) : say(text_at(&r, 2));
  }
  if (same(path, "/set")) {
    bucket_set(bucket, what.data, what.size, "a value", 7, &r);
    return r.tag == 0 ? say((text){"set", 3}) : complain(&r, 1);
  }
  if (same(path, "/set-and-trap")) {
    bucket_set(bucket, what.data, what.size, "a value", 7, &r);
    __builtin_trap();
  }
  if (same(path, "/delete")) {
    bucket_delete(bucket, what.data, what.size, &r);
    return r.tag == 0 ? say((text){"gone", 4}) : complain(&r, 1);
  }
  if (same(path, "/exists")) {
    bucket_exists(bucket, what.data, what.size, &r);
    return r.tag == 0 ? say(r.word[1] & 0xff ? (text){"yes", 3} : (text){"no", 2}) : complain(&r, 1);
  }
  if (same(path, "/keys")) {
    bucket_keys(bucket, 0, NULL, 0, &r);
    if (r.tag != 0) return complain(&r, 1);
    const text *keys = (const text *)r.word[1];
    for (int32_t i = 0; i < r.word[2]; ++i) {
      say(keys[i]);
      say((text){"\n", 1});
    }
    return;
  }
  if (same(path, "/increment")) {
    increment(bucket, what.data, what.size, 1, &r);
    return r.tag == 0 ? say(number(*(int64_t *)&r.word[2])) : complain(&r, 2);
  }
  if (same(path, "/swap") || same(path, "/late-swap")) {
    cas_new(bucket, what.data, what.size, &r);
    const handle cas = handle_of(&r);
    if (same(path, "/late-swap")) bucket_set(bucket, what.data, what.size, "meanwhile", 9, &r);
    cas_swap(cas, "swapped", 7, &r);
    return say(r.tag == 0 ? (text){"swapped", 7} : (text){"lost", 4});
  }
  say((text){"no such path", 12});
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.12#handle"))) void handle_request(handle request,
                                                                                             handle outparam) {
  result r;
  request_path(request, &r);
  text path = text_at(&r, 1), what = {"", 0};
  const char *mark = memchr(path.data, '?', path.size);
  if (mark) {
    what = (text){mark + 1, path.size - (size_t)(mark + 1 - path.data)};
    path.size = (size_t)(mark - path.data);
  }
  answer(outparam, 200);
  act(path, what);
  output_drop(stream);
  body_finish(body, 0, 0, &r);
}
