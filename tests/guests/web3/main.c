// A component of wasi:http/service 0.3 for tests: it answers "hello from 0.3" in a stream; "/sleep" waits a while
// first, "/trap" traps and "/spin" never ends. The imports are declared by hand (canonical ABI's
// flat and asynchronous forms).
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define TYPES "wasi:http/types@0.3.0"
#define NEW "[static]response.new"
#define HANDLE "[export]wasi:http/handler@0.3.0"

IMPORT(TYPES, "[constructor]fields") int32_t fields_new(void);
IMPORT(TYPES, "[method]request.get-path-with-query") void request_path(int32_t self, void *r);
IMPORT(TYPES, NEW) void response_new(int32_t headers, int32_t some, int32_t stream, int32_t trailers, void *r);
IMPORT(TYPES, "[stream-new-0]" NEW) int64_t stream_new(void);
IMPORT(TYPES, "[async-lower][stream-write-0]" NEW) uint32_t stream_write(int32_t w, const void *p, size_t n);
IMPORT(TYPES, "[stream-drop-writable-0]" NEW) void stream_drop(int32_t w);
IMPORT(TYPES, "[future-new-1]" NEW) int64_t future_new(void);
IMPORT(TYPES, "[async-lower][future-write-1]" NEW) uint32_t future_write(int32_t w, const void *p);
IMPORT(TYPES, "[future-drop-writable-1]" NEW) void future_drop(int32_t w);
IMPORT(HANDLE, "[task-return]handle")
void task_return(int32_t error, int32_t response, int32_t, int64_t, int32_t, int32_t, int32_t, int32_t);
IMPORT("$root", "[waitable-set-new]") int32_t set_new(void);
IMPORT("$root", "[waitable-join]") void join(int32_t waitable, int32_t set);
IMPORT("wasi:clocks/monotonic-clock@0.3.0", "[async-lower]wait-for") uint32_t wait_for(int64_t nanoseconds);
IMPORT("$root", "[subtask-drop]") void subtask_drop(int32_t subtask);

enum { EXIT = 0, WAIT = 2, BLOCKED = 0xffffffff };

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align,
                                                               size_t size) {
  static _Alignas(16) char heap[16384];
  static size_t used;
  (void)old, (void)old_size;
  used = (used + align - 1) & ~(align - 1);
  if (used + size > sizeof heap) __builtin_trap();
  void *block = heap + used;
  used += size;
  return block;
}

static const char kBody[] = "hello from 0.3\n";
static int32_t body, trailers, set;
static _Alignas(8) char kNoTrailers[64];

static uint32_t finish(void) {
  stream_drop(body);
  if (future_write(trailers, kNoTrailers) == BLOCKED) {
    join(trailers, set);
    return WAIT | (uint32_t)set << 4;
  }
  future_drop(trailers);
  return EXIT;
}

static uint32_t answer(void) {
  int32_t r[4];
  const int64_t stream = stream_new(), future = future_new();
  body = (int32_t)(stream >> 32);
  trailers = (int32_t)(future >> 32);
  response_new(fields_new(), 1, (int32_t)stream, (int32_t)future, r);
  task_return(0, r[0], 0, 0, 0, 0, 0, 0);
  if (set == 0) set = set_new();
  if (stream_write(body, kBody, sizeof kBody - 1) == BLOCKED) {
    join(body, set);
    return WAIT | (uint32_t)set << 4;
  }
  return finish();
}

static int sleeping;

__attribute__((export_name("[async-lift]wasi:http/handler@0.3.0#handle"))) uint32_t handle(int32_t request) {
  int32_t r[4];
  request_path(request, r);
  const char *path = (const char *)r[1];
  if (r[2] >= 6 && memcmp(path, "/sleep", 6) == 0) {
    const uint32_t subtask = wait_for(20000000);
    if ((subtask & 15) < 2) {
      sleeping = (int32_t)(subtask >> 4);
      set = set_new();
      join(sleeping, set);
      return WAIT | (uint32_t)set << 4;
    }
  }
  if (r[2] >= 5 && memcmp(path, "/trap", 5) == 0) __builtin_trap();
  if (r[2] >= 5 && memcmp(path, "/spin", 5) == 0) {
    for (volatile int i = 0;; ++i) {
    }
  }
  return answer();
}

__attribute__((export_name("[callback][async-lift]wasi:http/handler@0.3.0#handle"))) uint32_t go_on(
    uint32_t event, int32_t which, uint32_t how) {
  if (event == 1 && which == sleeping) {
    if (how < 2) return WAIT | (uint32_t)set << 4;  // started, not yet returned
    subtask_drop(sleeping);
    return answer();
  }
  if (event == 3 && which == body) return finish();
  if (event == 5 && which == trailers) future_drop(trailers);
  return EXIT;
}
