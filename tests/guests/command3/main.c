// A component of wasi:cli/command 0.3 for tests: it writes /data/out.txt, and prints
// /data/note.txt, what is in /data, and how calls fail that cannot go well. The imports are
// declared by hand (canonical ABI's flat form; streams and futures in the asynchronous one).
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define FILES "wasi:filesystem/types@0.3.0"
#define READ "[method]descriptor.read-via-stream"
#define WRITE "[method]descriptor.write-via-stream"
#define APPEND "[method]descriptor.append-via-stream"
#define LIST "[method]descriptor.read-directory"
#define STDOUT "wasi:cli/stdout@0.3.0"

typedef int32_t handle;

IMPORT("wasi:filesystem/preopens@0.3.0", "get-directories") void preopens(void* r);
IMPORT(FILES, "[method]descriptor.open-at")
void open_at(handle self, int32_t follow, const char* p, size_t n, int32_t how, int32_t flags, void* r);
IMPORT(FILES, "[method]descriptor.stat-at")
void stat_at(handle self, int32_t follow, const char* p, size_t n, void* r);
IMPORT(FILES, "[method]descriptor.unlink-file-at")
void unlink_at(handle self, const char* p, size_t n, void* r);
IMPORT(FILES, "[resource-drop]descriptor") void file_drop(handle self);
IMPORT(FILES, READ) void read_via(handle self, int64_t at, void* r);
IMPORT(FILES, "[async-lower][stream-read-0]" READ)
uint32_t read_stream(handle s, void* p, size_t n);
IMPORT(FILES, "[stream-drop-readable-0]" READ) void read_drop(handle s);
IMPORT(FILES, "[async-lower][future-read-1]" READ) uint32_t read_end(handle f, void* p);
IMPORT(FILES, WRITE) handle write_via(handle self, handle stream, int64_t at);
IMPORT(FILES, "[stream-new-0]" WRITE) int64_t write_new(void);
IMPORT(FILES, "[async-lower][stream-write-0]" WRITE)
uint32_t write_stream(handle s, const void* p, size_t n);
IMPORT(FILES, "[stream-drop-writable-0]" WRITE) void write_drop(handle s);
IMPORT(FILES, "[async-lower][future-read-1]" WRITE) uint32_t write_end(handle f, void* p);
IMPORT(FILES, APPEND) handle append_via(handle self, handle stream);
IMPORT(FILES, "[stream-new-0]" APPEND) int64_t append_new(void);
IMPORT(FILES, "[async-lower][stream-write-0]" APPEND)
uint32_t append_stream(handle s, const void* p, size_t n);
IMPORT(FILES, "[stream-drop-writable-0]" APPEND) void append_drop(handle s);
IMPORT(FILES, "[async-lower][future-read-1]" APPEND) uint32_t append_end(handle f, void* p);
IMPORT(FILES, LIST) void list_via(handle self, void* r);
IMPORT(FILES, "[async-lower][stream-read-0]" LIST)
uint32_t list_stream(handle s, void* p, size_t n);
IMPORT(FILES, "[async-lower][future-read-1]" LIST) uint32_t list_end(handle f, void* p);
IMPORT(STDOUT, "write-via-stream") handle out_via(handle stream);
IMPORT(STDOUT, "[stream-new-0]write-via-stream") int64_t out_new(void);
IMPORT(STDOUT, "[async-lower][stream-write-0]write-via-stream")
uint32_t out_stream(handle s, const void* p, size_t n);
IMPORT(STDOUT, "[stream-drop-writable-0]write-via-stream") void out_drop(handle s);
IMPORT(STDOUT, "[async-lower][future-read-1]write-via-stream") uint32_t out_end(handle f, void* p);
IMPORT("$root", "[waitable-set-new]") int32_t set_new(void);
IMPORT("$root", "[waitable-join]") void join(int32_t waitable, int32_t set);
IMPORT("$root", "[waitable-set-wait]") int32_t set_wait(int32_t set, void* event);
IMPORT("[export]wasi:cli/run@0.3.0", "[task-return]run") void task_return(int32_t failed);

__attribute__((export_name("cabi_realloc"))) void* cabi_realloc(void* old, size_t old_size, size_t align, size_t size) {
  static _Alignas(16) char heap[65536];
  static size_t used;
  (void)old, (void)old_size;
  used = (used + align - 1) & ~(align - 1);
  if (used + size > sizeof heap) __builtin_trap();
  void* block = heap + used;
  used += size;
  return block;
}

enum { CREATE = 1, FOLDER = 2, TRUNCATE = 8, READS = 1, WRITES = 2 };
enum { ENDED = 1 };  // of a stream: its other end is gone
#define BLOCKED 0xffffffffu

// What a read or write of `waitable` came to, once it has.
static uint32_t outcome(handle waitable, uint32_t status) {
  static int32_t set, event[2];
  if (status != BLOCKED) return status;
  if (set == 0) set = set_new();
  join(waitable, set);
  set_wait(set, event);
  join(waitable, 0);
  return (uint32_t)event[1];
}

static _Alignas(8) union {
  uint8_t byte[128];
  int32_t word[32];
  int64_t number[16];
} r;
static handle root, out;

static void say(const char* p, size_t n) {
  while (n > 0) {
    const uint32_t done = outcome(out, out_stream(out, p, n));
    if (done >> 4 == 0 || done >> 4 > n) __builtin_trap();
    p += done >> 4;
    n -= done >> 4;
  }
}
static void say_word(const char* word) { say(word, strlen(word)); }
static void say_number(int64_t n) {
  char digits[24], *at = digits + sizeof digits;
  do *--at = (char)('0' + n % 10);
  while ((n /= 10) > 0);
  say(at, (size_t)(digits + sizeof digits - at));
}

// What a stream's future tells.
static void say_end(const char* what) {
  say_word(what);
  if (r.byte[0] == 0) return say_word(": well\n");
  say_word(": error ");
  say_number(r.byte[4]);
  say_word("\n");
}

static handle open_file(const char* path, int how, int flags) {
  open_at(root, 1, path, strlen(path), how, flags, &r);
  return r.byte[0] == 0 ? r.word[1] : 0;
}

static void show_file(const char* path, int how) {
  static char bytes[512];
  const handle file = open_file(path, how, READS);
  if (file == 0) return say_end(path);
  read_via(file, 0, &r);
  const handle stream = r.word[0], end = r.word[1];
  for (;;) {
    const uint32_t got = outcome(stream, read_stream(stream, bytes, sizeof bytes));
    say(bytes, got >> 4);
    if ((got & 15) == ENDED) break;
  }
  read_drop(stream);
  outcome(end, read_end(end, &r));
  say_end(path);
  file_drop(file);
}

static void write_file(const char* path, int how, int flags, const char* bytes, int64_t at) {
  const handle file = open_file(path, how, flags);
  if (file == 0) return say_end(path);
  const int64_t pair = write_new();
  const handle end = write_via(file, (handle)pair, at), into = (handle)(pair >> 32);
  for (size_t left = strlen(bytes); left > 0;) {
    const uint32_t done = outcome(into, write_stream(into, bytes, left));
    bytes += done >> 4;
    left -= done >> 4;
    if ((done & 15) == ENDED) break;
  }
  write_drop(into);
  outcome(end, write_end(end, &r));
  say_end(path);
  file_drop(file);
}

static void append_file(const char* path, const char* bytes) {
  const handle file = open_file(path, 0, WRITES);
  if (file == 0) return say_end(path);
  const int64_t pair = append_new();
  const handle end = append_via(file, (handle)pair), into = (handle)(pair >> 32);
  outcome(into, append_stream(into, bytes, strlen(bytes)));
  append_drop(into);
  outcome(end, append_end(end, &r));
  say_end(path);
  file_drop(file);
}

static void list(const char* path) {
  static int32_t entry[6];  // its kind, and a name at 16
  const handle folder = open_file(path, FOLDER, READS);
  if (folder == 0) return say_end(path);
  list_via(folder, &r);
  const handle stream = r.word[0], end = r.word[1];
  for (;;) {
    const uint32_t got = outcome(stream, list_stream(stream, entry, 1));
    if (got >> 4 == 1) {
      say((const char*)entry[4], (size_t)entry[5]);
      say_word(" ");
      say_number(*(uint8_t*)entry);
      say_word("\n");
    }
    if ((got & 15) == ENDED) break;
  }
  outcome(end, list_end(end, &r));
  say_end(path);
}

__attribute__((export_name("[async-lift]wasi:cli/run@0.3.0#run"))) int32_t run(void) {
  const int64_t pair = out_new();
  const handle end = out_via((handle)pair);
  out = (handle)(pair >> 32);
  preopens(&r);
  // A folder and its name.
  const int32_t* folder = (const int32_t*)r.word[0];
  for (int32_t left = r.word[1]; left > 0; --left, folder += 3) {
    if (folder[2] == 5 && memcmp((const char*)folder[1], "/data", 5) == 0) root = folder[0];
  }
  show_file("missing", 0);
  show_file(".", FOLDER);
  write_file("note.txt", 0, READS, "x", 0);
  show_file("note.txt", 0);
  write_file("out.txt", CREATE | TRUNCATE, WRITES, "written by 0.3\n", 0);
  append_file("out.txt", "and more\n");
  stat_at(root, 1, "out.txt", 7, &r);
  say_number(r.byte[0] == 0 ? r.number[4] : 0);
  say_word(" bytes\n");
  list(".");
  unlink_at(root, "note.txt", 8, &r);
  say_end("unlink");
  out_drop(out);
  outcome(end, out_end(end, &r));
  task_return(r.byte[0] != 0);
  return 0;
}

__attribute__((export_name("[callback][async-lift]wasi:cli/run@0.3.0#run"))) int32_t go_on(int32_t event, int32_t which,
                                                                                           int32_t how) {
  (void)event, (void)which, (void)how;
  return 0;
}
