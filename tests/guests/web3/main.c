// A component of wasi:http/service 0.3 for tests: it answers "hello from 0.3" in a stream; "/sleep" waits a while
// first, "/trap" traps, "/spin" never ends, "/out?HOST/PATH" answers what a call of its own came to, "/out-sum?..." one with
// a trailer, "/sum" what the
// request's trailer x-sum says, "/times" how many requests this instance has had, and "/trailers" has a trailer. The imports are declared by hand (canonical ABI's flat
// and asynchronous forms).
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define TYPES "wasi:http/types@0.3.0"
#define NEW "[static]response.new"
#define REQUEST "[static]request.new"
#define CONSUME "[static]request.consume-body"
#define HANDLE "[export]wasi:http/handler@0.3.0"

IMPORT(TYPES, "[constructor]fields") int32_t fields_new(void);
IMPORT(TYPES, "[method]fields.append")
void fields_append(int32_t self, const char *name, size_t n, const char *value, size_t m, void *r);
IMPORT(TYPES, "[method]fields.get") void fields_get(int32_t self, const char *name, size_t n, void *r);
IMPORT(TYPES, CONSUME) void consume_body(int32_t request, int32_t result, void *r);
IMPORT(TYPES, "[future-new-0]" CONSUME) int64_t consumed_new(void);
IMPORT(TYPES, "[async-lower][future-write-0]" CONSUME) uint32_t consumed_write(int32_t w, const void *p);
IMPORT(TYPES, "[future-drop-writable-0]" CONSUME) void consumed_drop(int32_t w);
IMPORT(TYPES, "[async-lower][stream-read-1]" CONSUME) uint32_t content_read(int32_t s, void *p, size_t n);
IMPORT(TYPES, "[stream-drop-readable-1]" CONSUME) void content_drop(int32_t s);
IMPORT(TYPES, "[async-lower][future-read-2]" CONSUME) uint32_t came_read(int32_t f, void *p);
IMPORT(TYPES, "[future-drop-readable-2]" CONSUME) void came_drop(int32_t f);
IMPORT(TYPES, "[method]request.get-path-with-query") void request_path(int32_t self, void *r);
IMPORT(TYPES, NEW) void response_new(int32_t headers, int32_t some, int32_t stream, int32_t trailers, void *r);
IMPORT(TYPES, "[stream-new-0]" NEW) int64_t stream_new(void);
IMPORT(TYPES, "[async-lower][stream-write-0]" NEW) uint32_t stream_write(int32_t w, const void *p, size_t n);
IMPORT(TYPES, "[stream-drop-writable-0]" NEW) void stream_drop(int32_t w);
IMPORT(TYPES, "[future-new-1]" NEW) int64_t future_new(void);
IMPORT(TYPES, "[async-lower][future-write-1]" NEW) uint32_t future_write(int32_t w, const void *p);
IMPORT(TYPES, "[future-drop-writable-1]" NEW) void future_drop(int32_t w);
IMPORT(TYPES, REQUEST)
void request_new(int32_t headers, int32_t some, int32_t stream, int32_t trailers, int32_t has_options, int32_t options,
                 void *r);
IMPORT(TYPES, "[method]request.set-scheme")
int32_t request_scheme(int32_t self, int32_t some, int32_t tag, const char *p, size_t n);
IMPORT(TYPES, "[method]request.set-authority")
int32_t request_authority(int32_t self, int32_t some, const char *p, size_t n);
IMPORT(TYPES, "[method]request.set-path-with-query")
int32_t request_set_path(int32_t self, int32_t some, const char *p, size_t n);
IMPORT(TYPES, "[future-new-1]" REQUEST) int64_t sent_trailers_new(void);
IMPORT(TYPES, "[async-lower][future-write-1]" REQUEST) uint32_t sent_trailers_write(int32_t w, const void *p);
IMPORT(TYPES, "[future-drop-writable-1]" REQUEST) void sent_trailers_drop(int32_t w);
IMPORT(TYPES, "[method]response.get-status-code") int32_t response_status(int32_t self);
IMPORT("wasi:http/client@0.3.0", "send") void send_request(int32_t request, void *r);
IMPORT("$root", "[waitable-set-wait]") int32_t set_wait(int32_t set, void *event);
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

static const char *said = "hello from 0.3\n";
static int32_t body, trailers, set;
static _Alignas(8) char kNoTrailers[64];
static _Alignas(8) int32_t some_trailers[16];
static const void *my_trailers = kNoTrailers;

static uint32_t finish(void) {
  stream_drop(body);
  if (future_write(trailers, my_trailers) == BLOCKED) {
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
  if (stream_write(body, said, strlen(said)) == BLOCKED) {
    join(body, set);
    return WAIT | (uint32_t)set << 4;
  }
  return finish();
}

// What an operation on `waitable` came to.
static uint32_t settled(uint32_t status, int32_t waitable) {
  if (status != BLOCKED) return status;
  int32_t event[2];
  const int32_t own = set_new();
  join(waitable, own);
  set_wait(own, event);
  join(waitable, 0);
  return (uint32_t)event[1];
}

static void have_trailers(void) {
  int32_t r[8];
  some_trailers[2] = 1;
  some_trailers[3] = fields_new();
  fields_append(some_trailers[3], "x-sum", 5, "42", 2, r);
  my_trailers = some_trailers;
}

static void show_sum(int32_t request) {
  static char piece[4096], line[64];
  static _Alignas(8) int32_t came[16];
  int32_t r[4];
  const int64_t pair = consumed_new();
  const int32_t consumed = (int32_t)(pair >> 32);
  consume_body(request, (int32_t)pair, r);
  const int32_t content = r[0], future = r[1];
  const uint32_t told = consumed_write(consumed, kNoTrailers);
  while ((settled(content_read(content, piece, sizeof piece), content) & 15) == 0) {
  }
  content_drop(content);
  settled(came_read(future, came), future);
  came_drop(future);
  settled(told, consumed);
  consumed_drop(consumed);
  said = "no trailers\n";
  if ((came[0] & 0xff) != 0) said = "failed\n";
  if ((came[0] & 0xff) != 0 || (came[2] & 0xff) == 0) return;
  fields_get(came[3], "x-sum", 5, r);
  said = "no sum\n";
  if (r[1] == 0) return;
  const int32_t *value = (const int32_t *)r[0];
  const size_t size = (size_t)value[1] < sizeof line - 2 ? (size_t)value[1] : sizeof line - 2;
  memcpy(line, (const char *)value[0], size);
  line[size] = '\n';
  said = line;
}

// "status 200" or "error 15": what a call came to.
static void call_out(const char *url, size_t size) {
  static char words[] = "status 000\n";
  static _Alignas(8) int32_t r[32];
  const char *slash = memchr(url, '/', size);
  const size_t host = slash ? (size_t)(slash - url) : size;
  const int64_t pair = sent_trailers_new();
  const int32_t trailers_of_mine = (int32_t)(pair >> 32);
  request_new(fields_new(), 0, 0, (int32_t)pair, 0, 0, r);
  const int32_t request = r[0];
  request_scheme(request, 1, 0, NULL, 0);
  request_authority(request, 1, url, host);
  request_set_path(request, 1, slash ? slash : "/", slash ? size - host : 1);
  const uint32_t written = sent_trailers_write(trailers_of_mine, my_trailers);
  send_request(request, r);
  const int failed = (r[0] & 0xff) != 0;
  int32_t number = failed ? r[2] & 0xff : response_status(r[2]);
  if (written == BLOCKED) {
    int32_t event[2];
    const int32_t own = set_new();
    join(trailers_of_mine, own);
    set_wait(own, event);
    join(trailers_of_mine, 0);
  }
  sent_trailers_drop(trailers_of_mine);
  if (failed) memcpy(words, "error ", 7);
  char *digit = words + (failed ? 9 : 10);
  *digit-- = '\n';
  if (failed) words[10] = 0;
  for (int i = 0; i < 3; ++i, number /= 10) *digit-- = (char)('0' + number % 10);
  said = words;
}

static int sleeping;

__attribute__((export_name("[async-lift]wasi:http/handler@0.3.0#handle"))) uint32_t handle(int32_t request) {
  int32_t r[4];
  static char counted[] = "000\n";
  static int times;
  request_path(request, r);
  const char *path = (const char *)r[1];
  ++times;
  said = "hello from 0.3\n";
  my_trailers = kNoTrailers;
  if (r[2] == 6 && memcmp(path, "/times", 6) == 0) {
    for (int i = 2, n = times; i >= 0; --i, n /= 10) counted[i] = (char)('0' + n % 10);
    said = counted;
  }
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
  if (r[2] == 4 && memcmp(path, "/sum", 4) == 0) show_sum(request);
  if (r[2] == 9 && memcmp(path, "/trailers", 9) == 0) have_trailers();
  if (r[2] >= 5 && memcmp(path, "/out?", 5) == 0) call_out(path + 5, (size_t)r[2] - 5);
  if (r[2] >= 9 && memcmp(path, "/out-sum?", 9) == 0) {
    have_trailers();
    call_out(path + 9, (size_t)r[2] - 9);
    my_trailers = kNoTrailers;
  }
  return answer();
}

__attribute__((export_name("[callback][async-lift]wasi:http/handler@0.3.0#handle"))) uint32_t go_on(uint32_t event,
                                                                                                    int32_t which,
                                                                                                    uint32_t how) {
  if (event == 1 && which == sleeping) {
    if (how < 2) return WAIT | (uint32_t)set << 4;  // started, not yet returned
    subtask_drop(sleeping);
    return answer();
  }
  if (event == 3 && which == body) return finish();
  if (event == 5 && which == trailers) future_drop(trailers);
  return EXIT;
}
