// The guest of the component benchmark for WASI 0.3: a wasi:http/service that answers with a stream and no
// trailers. Its imports are declared by hand (the canonical ABI's flat and asynchronous forms).
#include <stddef.h>
#include <stdint.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define TYPES "wasi:http/types@0.3.0"
#define NEW "[static]response.new"
#define BODY "Hello from a fresh instance!\n"
#define TYPE "text/plain"

IMPORT(TYPES, "[constructor]fields") int32_t fields_new(void);
IMPORT(TYPES, "[method]fields.append")
void fields_append(int32_t self, const char *name, size_t n, const char *value, size_t m, void *r);
IMPORT(TYPES, NEW) void response_new(int32_t headers, int32_t some, int32_t stream, int32_t trailers, void *r);
IMPORT(TYPES, "[stream-new-0]" NEW) int64_t stream_new(void);
IMPORT(TYPES, "[async-lower][stream-write-0]" NEW) uint32_t stream_write(int32_t w, const void *p, size_t n);
IMPORT(TYPES, "[stream-drop-writable-0]" NEW) void stream_drop(int32_t w);
IMPORT(TYPES, "[future-new-1]" NEW) int64_t future_new(void);
IMPORT(TYPES, "[async-lower][future-write-1]" NEW) uint32_t future_write(int32_t w, const void *p);
IMPORT(TYPES, "[future-drop-writable-1]" NEW) void future_drop(int32_t w);
IMPORT("[export]wasi:http/handler@0.3.0", "[task-return]handle")
void task_return(int32_t error, int32_t response, int32_t, int64_t, int32_t, int32_t, int32_t, int32_t);
IMPORT("$root", "[waitable-set-new]") int32_t set_new(void);
IMPORT("$root", "[waitable-join]") void join(int32_t waitable, int32_t set);

enum { EXIT = 0, WAIT = 2, WROTE_STREAM = 3, WROTE_FUTURE = 5 };
#define BLOCKED 0xffffffff

static int32_t body, trailers, set;
static _Alignas(8) char no_trailers[64];

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align,
                                                               size_t size) {
  static _Alignas(16) char heap[4096];
  static size_t used;
  (void)old, (void)old_size;
  used = (used + align - 1) & ~(align - 1);
  if (used + size > sizeof heap) __builtin_trap();
  void *block = heap + used;
  used += size;
  return block;
}

static uint32_t wait_for(int32_t waitable) {
  join(waitable, set);
  return WAIT | (uint32_t)set << 4;
}

static uint32_t finish(void) {
  stream_drop(body);
  if (future_write(trailers, no_trailers) == BLOCKED) return wait_for(trailers);
  future_drop(trailers);
  return EXIT;
}

__attribute__((export_name("[async-lift]wasi:http/handler@0.3.0#handle"))) uint32_t handle(int32_t request) {
  (void)request;
  _Alignas(8) int32_t r[8];
  const int64_t stream = stream_new(), future = future_new();
  const int32_t headers = fields_new();
  fields_append(headers, "content-type", 12, TYPE, sizeof TYPE - 1, r);
  body = (int32_t)(stream >> 32);
  trailers = (int32_t)(future >> 32);
  response_new(headers, 1, (int32_t)stream, (int32_t)future, r);
  set = set_new();
  task_return(0, r[0], 0, 0, 0, 0, 0, 0);
  if (stream_write(body, BODY, sizeof BODY - 1) == BLOCKED) return wait_for(body);
  return finish();
}

__attribute__((export_name("[callback][async-lift]wasi:http/handler@0.3.0#handle"))) uint32_t go_on(
    uint32_t event, int32_t which, uint32_t how) {
  (void)how;
  if (event == WROTE_STREAM && which == body) return finish();
  if (event == WROTE_FUTURE && which == trailers) future_drop(trailers);
  return EXIT;
}
