// Components: WebAssembly components (WASI 0.2 and 0.3) on Carrel's engine.
//
// The archive runs a component's exported world as one task, which a shard polls on its thread. All
// that a component can reach of the outside it reaches through one callback, which makes calls of
// WASI preview 1: files, streams, clocks and capabilities are the same for modules and components,
// and so are their limits. WASI 0.2's own interfaces (streams, pollables, HTTP's types) are built
// from these calls here.
//
// Threads: a compiled component may be shared by all threads; a linker, what it has prepared and
// the tasks made from that belong to one thread. Callbacks run on that thread inside `poll` or
// `free`, but for `wake`, which may come from any. Panics of the archive become errors. Texts are
// UTF-8 unless said otherwise; buffers are freed by the caller.
#pragma once

#include <carrel/engine.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct carrel_component carrel_component;
typedef struct carrel_component_linker carrel_component_linker;
typedef struct carrel_component_pre carrel_component_pre;
typedef struct carrel_task carrel_task;
typedef struct carrel_instance carrel_instance;
typedef struct carrel_waiting carrel_waiting;
typedef struct carrel_wait carrel_wait;

typedef struct carrel_text {
  const char* data;
  size_t size;
} carrel_text;

// Code that `carrel_engine_compile` made of a component. Loading foreign bytes would run them. Null
// and a text in `error` when it was made for another engine.
carrel_component* carrel_component_load(const wasm_engine_t* engine, const uint8_t* code,
                                        size_t size, carrel_buffer* error);
carrel_component* carrel_component_load_file(const wasm_engine_t* engine, carrel_text path,
                                             carrel_buffer* error);
void carrel_component_free(carrel_component* component);
size_t carrel_component_code_bytes(const carrel_component* component);
// How many of the pool's slots an instance takes, for the memories and tables of all that the
// component is composed of.
uint32_t carrel_component_slots(const carrel_component* component);
// Lines "import NAME KIND" and "export NAME KIND": what the component imports and exports.
void carrel_component_names(const carrel_component* component, carrel_buffer* lines);

// The component's world as WIT.
void carrel_component_wit(const carrel_component* component, carrel_buffer* text);

// The worlds that can be run.
typedef enum carrel_world {
  CARREL_WORLD_HTTP = 0,      // wasi:http/proxy 0.2: exports wasi:http/incoming-handler
  CARREL_WORLD_COMMAND = 1,   // wasi:cli/command 0.2: exports wasi:cli/run
  CARREL_WORLD_SERVICE3 = 2,  // wasi:http/service 0.3: exports wasi:http/handler
  CARREL_WORLD_COMMAND3 = 3,  // wasi:cli/command 0.3: exports wasi:cli/run
} carrel_world;

carrel_component_linker* carrel_component_linker_new(const wasm_engine_t* engine,
                                                     carrel_buffer* error);
void carrel_component_linker_free(carrel_component_linker* linker);
// Checks a component's imports and exports once, so that a task costs microseconds. Null and a text
// in `error` that names what is missing.
carrel_component_pre* carrel_component_prepare(const carrel_component_linker* linker,
                                               const carrel_component* component,
                                               carrel_world world, carrel_buffer* error);
void carrel_component_pre_free(carrel_component_pre* pre);

// The preview 1 functions that the archive calls, by number; their operands are preview 1's.
// clang-format off: it finds no end with this list
#define CARREL_PREVIEW1_FUNCTIONS(X) \
  X(args_get) X(args_sizes_get) X(environ_get) X(environ_sizes_get) \
  X(clock_time_get) X(fd_close) X(fd_datasync) X(fd_fdstat_get) X(fd_filestat_get) \
  X(fd_filestat_set_size) X(fd_filestat_set_times) X(fd_pread) \
  X(fd_prestat_dir_name) X(fd_prestat_get) X(fd_pwrite) X(fd_read) X(fd_readdir) \
  X(fd_sync) X(fd_write) X(path_create_directory) X(path_filestat_get) \
  X(path_filestat_set_times) X(path_link) X(path_open) X(path_readlink) \
  X(path_remove_directory) X(path_rename) X(path_symlink) X(path_unlink_file)
// clang-format on

// What a task needs of its host. `user` is the task's; no callback may unwind.
typedef struct carrel_component_host {
  // Calls a preview 1 function. `memory` stands for the guest's: operands that are pointers are
  // offsets into it. Pending: the host has made a wait of `waiting` (carrel_wait_new) and ends it
  // when the call shall be made again, with the same operands. Trap: the guest ends.
  carrel_host_status (*call)(void* user, uint32_t function, const uint64_t* operands,
                             uint8_t* memory, size_t size, carrel_waiting* waiting,
                             int32_t* result);
  // Ends a wait of `waiting` after that time.
  void (*sleep)(void* user, uint64_t nanoseconds, carrel_waiting* waiting);
  // A wait that nobody needs any more; it is freed and not ended.
  void (*forget)(void* user, carrel_wait* wait);
  // A tick is over. 0: the guest goes on after the others; 1: it ends.
  int32_t (*tick)(void* user);
  // The task can be polled again, after a poll that was pending. From any thread.
  void (*wake)(void* user);
  // The response's head, once: name, value, name, value... Values are bytes.
  void (*reply_head)(void* user, uint16_t status, const carrel_text* fields, size_t count);
  // The response's trailers, after its body.
  void (*reply_trailers)(void* user, const carrel_text* fields, size_t count);
  // The request's trailers, once its body has been read to its end: how many names and values.
  // They are copied at once.
  size_t (*request_trailers)(void* user, const carrel_text** fields);
} carrel_component_host;

// A place where a call may wait. Made at most once a call; ended or forgotten, then gone.
carrel_wait* carrel_wait_new(carrel_waiting* waiting);
void carrel_wait_end(carrel_wait* wait);
void carrel_wait_free(carrel_wait* wait);  // not ended: its task is being freed

typedef struct carrel_http_request {
  carrel_text method, scheme, authority, target;  // target: path and query
  const carrel_text* fields;                      // name, value, name, value...
  size_t field_count;                             // of names and values
  bool has_body;                                  // read from descriptor 0
} carrel_http_request;

typedef struct carrel_task_limits {
  uint64_t memory;     // bytes of all linear memories together
  uint32_t resources;  // handles that the guest may hold at once
  uint32_t slots;  // that it takes of a concurrent engine, which bound how many of its calls may
                   // be in progress at once; 0: of another engine
  bool keep;       // an HTTP task's instance, for carrel_task_keep
} carrel_task_limits;

// Starts a task: nothing runs before the first poll. The response's body goes to descriptor 1, what
// the guest prints to descriptor 2. `host` and `user` outlive the task. `kept`: an instance of the
// same component that an earlier task has kept, which it takes; null: a fresh one. Null and a text
// in `error` for a request that cannot be put to a guest.
carrel_task* carrel_http_start(const carrel_component_pre* pre, const carrel_component_host* host,
                               void* user, const carrel_task_limits* limits,
                               const carrel_http_request* request, carrel_instance* kept,
                               carrel_buffer* error);
carrel_task* carrel_command_start(const carrel_component_pre* pre,
                                  const carrel_component_host* host, void* user,
                                  const carrel_task_limits* limits, carrel_buffer* error);

typedef enum carrel_poll {
  CARREL_POLL_PENDING = 0,  // `wake` will say when
  CARREL_POLL_AGAIN = 1,    // it gave way to others
  CARREL_POLL_ENDED = 2,
} carrel_poll;
carrel_poll carrel_task_poll(carrel_task* task);

typedef enum carrel_task_end {
  CARREL_END_RETURNED = 0,
  CARREL_END_EXITED = 1,     // by itself, with `code`
  CARREL_END_TRAPPED = 2,    // `text` says why, `frames` where
  CARREL_END_REFUSED = 3,    // it could not be instantiated: `text` says why
  CARREL_END_BAD_REPLY = 4,  // no response, or one that was not finished: `text`
} carrel_task_end;

// Of a task that has ended, or that is about to be freed.
typedef struct carrel_task_result {
  carrel_task_end end;
  uint32_t code;
  uint64_t memory_peak;
  carrel_buffer text;
  carrel_buffer frames;  // lines "OFFSET NAME", the innermost first
} carrel_task_result;
void carrel_task_result_get(carrel_task* task, carrel_task_result* result);

// Of a task of HTTP that has ended well, before it is freed: its instance with its memory, for
// another start. What it held of its turn (descriptors, bodies, calls) is of no use there. Null:
// there is none to keep.
carrel_instance* carrel_task_keep(carrel_task* task);
void carrel_instance_free(carrel_instance* kept);

// Unwinds what still runs, at any moment. No callback comes afterwards.
void carrel_task_free(carrel_task* task);

#ifdef __cplusplus
}  // extern "C"
#endif
