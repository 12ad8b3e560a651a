// A component that uses wasi:blobstore in both drafts, for tests. What it does is named by the
// request's path, with what: "/get?NAME". Objects are those of the container "files"; "/copy" and
// "/move" make "NAME-too".
#include "../web/wasi.h"

#define VALUES "wasi:blobstore/types@0.2.0-draft"
#define CONTAINER "wasi:blobstore/container@0.2.0-draft"
#define STORE "wasi:blobstore/blobstore@0.2.0-draft"

IMPORT(VALUES, "[static]outgoing-value.new-outgoing-value") handle value_new(void);
IMPORT(VALUES, "[method]outgoing-value.outgoing-value-write-body")
void value_body(handle self, void* r);
IMPORT(VALUES, "[static]outgoing-value.finish") void value_finish(handle self, void* r);
IMPORT(VALUES, "[static]incoming-value.incoming-value-consume-sync")
void value_whole(handle self, void* r);
IMPORT(VALUES, "[static]incoming-value.incoming-value-consume-async")
void value_stream(handle self, void* r);
IMPORT(VALUES, "[method]incoming-value.size") int64_t value_size(handle self);
IMPORT(CONTAINER, "[method]container.get-data")
void get_data(handle self, const char* p, size_t n, int64_t start, int64_t end, void* r);
IMPORT(CONTAINER, "[method]container.write-data")
void write_data(handle self, const char* p, size_t n, handle value, void* r);
IMPORT(CONTAINER, "[method]container.list-objects") void list_objects(handle self, void* r);
IMPORT(CONTAINER, "[method]container.delete-object")
void delete_object(handle self, const char* p, size_t n, void* r);
IMPORT(CONTAINER, "[method]container.has-object")
void has_object(handle self, const char* p, size_t n, void* r);
IMPORT(CONTAINER, "[method]container.object-info")
void object_info(handle self, const char* p, size_t n, void* r);
IMPORT(CONTAINER, "[method]container.clear") void clear(handle self, void* r);
IMPORT(CONTAINER, "[method]stream-object-names.read-stream-object-names")
void names_read(handle self, int64_t most, void* r);
IMPORT(CONTAINER, "[method]stream-object-names.skip-stream-object-names")
void names_skip(handle self, int64_t most, void* r);
IMPORT(STORE, "get-container") void container_get(const char* p, size_t n, void* r);
IMPORT(STORE, "delete-container") void container_delete(const char* p, size_t n, void* r);
IMPORT(STORE, "container-exists") void container_exists(const char* p, size_t n, void* r);
IMPORT(STORE, "copy-object")
void object_copy(const char* c, size_t cn, const char* o, size_t on, const char* tc, size_t tcn, const char* to,
                 size_t ton, void* r);
IMPORT(STORE, "move-object")
void object_move(const char* c, size_t cn, const char* o, size_t on, const char* tc, size_t tcn, const char* to,
                 size_t ton, void* r);
IMPORT("wasi:blobstore/blobstore@0.2.0-draft-2024-09-01", "get-container")
void other_get(const char* p, size_t n, void* r);
IMPORT("wasi:blobstore/container@0.2.0-draft-2024-09-01", "[method]container.has-object")
void other_has(handle self, const char* p, size_t n, void* r);

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
  for (size_t n; words.size > 0; words.data += n, words.size -= n) {
    n = words.size < 4096 ? words.size : 4096;
    stream_write(stream, words.data, n, &r);
    if (r.tag != 0) return;
  }
}
static void say_word(const char* word) { say((text){word, strlen(word)}); }

static void say_number(uint64_t n) {
  static char digits[24];
  char* at = digits + sizeof digits;
  do *--at = (char)('0' + n % 10);
  while ((n /= 10) > 0);
  say((text){at, (size_t)(digits + sizeof digits - at)});
}

// What an operation without a result answers.
static void outcome(const result* r, const char* done) { r->tag == 0 ? say_word(done) : say(text_at(r, 1)); }

// Writes `pieces` pieces; says what failed, if anything did.
static int write_pieces(handle to, const char* piece, size_t size, int pieces) {
  result r;
  for (int i = 0; i < pieces; ++i) {
    stream_write(to, piece, size, &r);
    if (r.tag != 0) {
      say_word("not written");
      return 0;
    }
  }
  return 1;
}

static void put(handle container, text name, const char* bytes, int trap) {
  result r;
  const handle value = value_new();
  value_body(value, &r);
  const handle out = handle_of(&r);
  if (!write_pieces(out, bytes, strlen(bytes), 1)) return;
  output_drop(out);
  write_data(container, name.data, name.size, value, &r);
  if (r.tag != 0) return say(text_at(&r, 1));
  value_finish(value, &r);
  if (trap) __builtin_trap();
  outcome(&r, "put");
}

// 300 pieces of 4096 bytes, which is more than is held: said before where they go, or not at all.
static void put_large(handle container, text name, int said_before) {
  static char piece[4096];
  result r;
  memset(piece, 'x', sizeof piece);
  const handle value = value_new();
  value_body(value, &r);
  const handle out = handle_of(&r);
  if (said_before) {
    write_data(container, name.data, name.size, value, &r);
    if (r.tag != 0) return say(text_at(&r, 1));
  }
  if (!write_pieces(out, piece, sizeof piece, 300)) return;
  output_drop(out);
  value_finish(value, &r);
  outcome(&r, "put");
}

static void get(handle container, text name, int64_t start, int64_t end, int whole) {
  result r;
  get_data(container, name.data, name.size, start, end, &r);
  if (r.tag != 0) return say(text_at(&r, 1));
  const handle value = r.word[1];
  if (whole) {
    value_whole(value, &r);
    return say(text_at(&r, 1));
  }
  say_number((uint64_t)value_size(value));
  say_word(":");
  value_stream(value, &r);
  const handle in = handle_of(&r);
  for (;;) {
    stream_read(in, 65536, &r);
    if (r.tag != 0) break;
    const text piece = text_at(&r, 1);
    say(piece);
    free((void*)piece.data);
  }
  input_drop(in);
}

static void list(handle container, int64_t skipped) {
  result r;
  list_objects(container, &r);
  if (r.tag != 0) return say(text_at(&r, 1));
  const handle names = r.word[1];
  if (skipped > 0) names_skip(names, skipped, &r);
  for (int ended = 0; !ended;) {
    names_read(names, 2, &r);
    if (r.tag != 0) return say(text_at(&r, 1));
    const text* name = (const text*)r.word[1];
    ended = r.word[3] & 0xff;
    for (int32_t i = 0; i < r.word[2]; ++i) {
      say(name[i]);
      say_word("\n");
    }
  }
}

static void act(text path, text what) {
  result r;
  if (same(path, "/open")) {
    container_get(what.data, what.size, &r);
    return outcome(&r, "open");
  }
  if (same(path, "/exists")) {
    container_exists(what.data, what.size, &r);
    return say_word(r.tag == 0 && (r.word[1] & 0xff) ? "yes" : "no");
  }
  if (same(path, "/delete-container")) {
    container_delete(what.data, what.size, &r);
    return outcome(&r, "deleted");
  }
  if (same(path, "/has-in-other-draft")) {
    other_get("files", 5, &r);
    other_has(handle_of(&r), what.data, what.size, &r);
    return say_word(r.tag == 0 && (r.word[1] & 0xff) ? "yes" : "no");
  }
  if (same(path, "/copy") || same(path, "/move") || same(path, "/smuggle")) {
    static char name[256];
    if (what.size > sizeof name - 4) return;
    memcpy(name, what.data, what.size);
    memcpy(name + what.size, "-too", 4);
    const int out = same(path, "/smuggle");
    (same(path, "/move") ? object_move : object_copy)("files", 5, what.data, what.size, out ? "shown" : "files", 5,
                                                      name, what.size + 4, &r);
    return outcome(&r, "done");
  }
  container_get("files", 5, &r);
  if (r.tag != 0) return say(text_at(&r, 1));
  const handle container = r.word[1];
  if (same(path, "/put")) return put(container, what, "a value", 0);
  if (same(path, "/put-and-trap")) return put(container, what, "lost", 1);
  if (same(path, "/put-large")) return put_large(container, what, 1);
  if (same(path, "/put-nowhere")) return put_large(container, what, 0);
  if (same(path, "/finish-nowhere")) {
    value_finish(value_new(), &r);
    return outcome(&r, "finished");
  }
  if (same(path, "/get")) return get(container, what, 0, -1, 1);
  if (same(path, "/stream")) return get(container, what, 0, -1, 0);
  if (same(path, "/part")) return get(container, what, 2, 4, 0);
  if (same(path, "/behind")) return get(container, what, 8, -1, 0);
  if (same(path, "/backwards")) return get(container, what, 4, 2, 0);
  if (same(path, "/list")) return list(container, 0);
  if (same(path, "/list-rest")) return list(container, 1);
  if (same(path, "/size")) {
    object_info(container, what.data, what.size, &r);
    return r.tag == 0 ? say_number(*(uint64_t*)&r.word[8]) : say(text_at(&r, 2));
  }
  if (same(path, "/has")) {
    has_object(container, what.data, what.size, &r);
    return r.tag == 0 ? say_word(r.word[1] & 0xff ? "yes" : "no") : say(text_at(&r, 1));
  }
  if (same(path, "/delete")) {
    delete_object(container, what.data, what.size, &r);
    return outcome(&r, "gone");
  }
  if (same(path, "/clear")) {
    clear(container, &r);
    return outcome(&r, "empty");
  }
  say_word("no such path");
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.12#handle"))) void handle_request(handle request,
                                                                                             handle outparam) {
  result r;
  request_path(request, &r);
  text path = text_at(&r, 1), what = {"", 0};
  const char* mark = memchr(path.data, '?', path.size);
  if (mark) {
    what = (text){mark + 1, path.size - (size_t)(mark + 1 - path.data)};
    path.size = (size_t)(mark - path.data);
  }
  answer(outparam, 200);
  act(path, what);
  output_drop(stream);
  body_finish(body, 0, 0, &r);
}
