/* libcarrel: an application calls its hook points, at which its customers' Wasm modules run, in
 * microseconds, on its own threads.
 *
 *   carrel_handle shop;
 *   carrel_error *error = carrel_open("shop/", NULL, &shop);     // a folder with carrel.toml
 *   carrel_reply *reply;
 *   if (!error) error = carrel_call(shop, "cart.discounts", json, json_size, NULL, &reply);
 *
 * The ABI is stable within CARREL_ABI. Names are allow-listed; structures grow at their end only,
 * and say their size.
 *
 * Rules that hold for every function:
 *   Errors    a function that can fail returns a carrel_error, which the caller frees, or NULL.
 *             What is given back through a pointer is then 0 or NULL.
 *   Threads   every function may be called from any thread at any time, unless it says otherwise.
 *             A carrel_error or a carrel_reply is its caller's: one thread at a time.
 *   Handles   are numbers that are used once. One that was closed, twice too, or that never was
 *             one, is the error "closed": never a crash.
 *   Texts     are UTF-8. `const char *` without a size ends with a NUL; documents are JSON with a
 *             size, which need no NUL (the library's own have one, not counted).
 *   fork      a child inherits no engine: there each function answers "reopen" to the parent's
 *             handles, and carrel_open makes new ones. A fork waits for a
 *             carrel_open that another thread is inside of.
 *   exit      with calls in flight is safe: they do not call back any more.
 *   Signals   the engine has handlers for SIGSEGV, SIGILL, SIGFPE and SIGBUS from the first open
 *             on; faults that are not a guest's go to the handlers before them. An application that
 *             sets its own later must call the earlier ones. The library's threads block all
 *             others. dlclose leaves the library in memory.
 *   Callbacks must not longjmp or fork. In one, everything may be called but carrel_drain of its
 *             own handle, which answers "would_deadlock". What a function of the application throws
 *             fails its call; the other callbacks must not throw.
 */
#ifndef CARREL_CARREL_H
#define CARREL_CARREL_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CARREL_ABI 1
#define CARREL_API __attribute__((visibility("default")))

/* What the library at hand is: CARREL_ABI, and its version such as "0.1.0". Never fail. */
CARREL_API uint32_t carrel_abi(void);
CARREL_API const char* carrel_version(void);

/* ---- errors ---------------------------------------------------------------------------------- */

typedef struct carrel_error carrel_error;

/* A stable name in snake_case, such as "not_found" (docs/reference/errors.md lists them); what
 * happened; what to do about it, or "". Each lives as long as the error. */
CARREL_API const char* carrel_error_code(const carrel_error* error);
CARREL_API const char* carrel_error_message(const carrel_error* error);
CARREL_API const char* carrel_error_help(const carrel_error* error);
/* JSON: of a call {"binding": "who made it fail", "problems": [{"at", "message"}], "runs": [...]}
 * as far as there are any, else {}. Lives as long as the error. */
CARREL_API const char* carrel_error_details(const carrel_error* error, size_t* size);
/* NULL is fine. An error is freed once. */
CARREL_API void carrel_error_free(carrel_error* error);

/* ---- open and close -------------------------------------------------------------------------- */

typedef uint64_t carrel_handle; /* 0 is none */

/* A line for those whose modules run, or for the application: JSON, {"event", "tenant", "module",
 * "call", "text"}; `event` is "guest_log" (what a module wrote to its standard error), a code of
 * docs/reference/errors.md (why it failed), or "app_function". Called by the thread that runs the
 * module, of several at the same time. */
typedef void (*carrel_log)(void* user, const char* line, size_t size);

typedef struct carrel_open_options {
  size_t size;
  /* Where compiled code is kept, ours alone (0700); NULL: carrel/code in XDG_CACHE_HOME, or in
   * ~/.cache. Any number of processes share it. The first open of a process decides, for this and
   * for `compiler`: later ones leave them NULL, or say the same. */
  const char* cache;
  /* The program that compiles modules in a sealed child process; NULL: carrel-compile beside the
   * library or in its carrel/, where it is installed. Only modules whose code is not in the cache
   * are compiled. */
  const char* compiler;
  carrel_log log; /* NULL: nobody is told */
  void* log_user;
  /* Of a server's socket. The bearer token; NULL: the first line of the file that CARREL_TOKEN_FILE
   * names. The host name of the app; NULL: the server has only one with hook points. */
  const char* token;
  const char* app;
} carrel_open_options;
#define CARREL_OPEN_OPTIONS {sizeof(carrel_open_options), NULL, NULL, NULL, NULL, NULL, NULL}

/* Opens an application. `where` is a folder with carrel.toml and its modules, which is read once
 * and not written to: modules have no state there, and one with a grant to write, or to call the
 * outside, is the error "needs_server". Or it is "unix:" and the path of a local server's socket
 * (carrel serve --data-socket PATH): modules run in that process, with their state. Blocks, while
 * modules are compiled, or until the server has answered. `options` may be NULL.
 * Errors: those of the manifest and of each module together, "needs_server", "io"; of a server
 * "unavailable", "late", "unauthenticated", "not_found" for the app. */
CARREL_API carrel_error* carrel_open(const char* where, const carrel_open_options* options,
                                     carrel_handle* handle);

/* From here on the handle is closed. Does not wait: calls in progress run to their end, and then
 * what they use is freed. Errors: "closed". */
CARREL_API carrel_error* carrel_close(carrel_handle handle);

/* Refuses new calls ("closed"), and waits until none is in progress or the time is over: "late".
 * The handle is still to be closed. */
CARREL_API carrel_error* carrel_drain(carrel_handle handle, uint32_t timeout_ms);

/* ---- calls ----------------------------------------------------------------------------------- */

typedef struct carrel_reply carrel_reply;
typedef uint64_t carrel_function_call; /* 0 is none */

typedef struct carrel_call_options {
  size_t size;
  const char* tenant;          /* whose modules are asked, with those of tenants above it:
                                  "shop/merchant-17";          NULL: all */
  uint32_t timeout_ms;         /* shortens the point's deadline; 0: it stays */
  carrel_function_call within; /* the call of an application function that makes this call, for the
                                  bound on depth; 0: known by the thread, or none */
  void* context; /* what functions of the application that this call leads to learn of it:
                    carrel_context */
} carrel_call_options;
#define CARREL_CALL_OPTIONS {sizeof(carrel_call_options), NULL, 0, 0, NULL}

/* Calls a hook point and waits for its answer, at most until the point's deadline. The modules run
 * on the calling thread. Calls of several threads run beside one another, 64 at most
 * ("overloaded"). Errors: "not_found", "hook_input", the failure of a module as the point says,
 * "overloaded", "too_deep": application functions that call points, more than 8 deep. */
CARREL_API carrel_error* carrel_call(carrel_handle handle, const char* point, const char* input,
                                     size_t input_size, const carrel_call_options* options,
                                     carrel_reply** reply);

/* Exactly one of `error` and `reply` is given, and is the callback's to free. */
typedef void (*carrel_done)(void* user, carrel_error* error, carrel_reply* reply);

/* The same without waiting: the modules run on the library's threads (32 at most), and `done` is
 * called on one of them, exactly once, perhaps before this returns. It should be quick: it has the
 * thread. `input`, `point` and `options` are copied. A call that is refused is refused here,
 * without `done`: "closed", "overloaded" when thousands wait. */
CARREL_API carrel_error* carrel_call_async(carrel_handle handle, const char* point,
                                           const char* input, size_t input_size,
                                           const carrel_call_options* options, carrel_done done,
                                           void* user);

/* The output, JSON; lives as long as the reply. */
CARREL_API const char* carrel_reply_output(const carrel_reply* reply, size_t* size);
/* JSON: {"runs": [{"binding", "tenant", "status", "micros", "code"}]}: what came of each module.
 * Made at the first call, so it is not for two threads at a time. Lives as long as the reply. */
CARREL_API const char* carrel_reply_details(carrel_reply* reply, size_t* size);
/* NULL is fine. A reply is freed once, by any thread. */
CARREL_API void carrel_reply_free(carrel_reply* reply);

/* Tells a point of kind "event": `event` is JSON, or a CloudEvent. Returns when it is on the disk;
 * the output is {"id", "deliveries"}. Of `options` the tenant alone counts. Only at a server's
 * socket. Errors: "needs_server", "not_found", "overloaded", "unavailable", "late". */
CARREL_API carrel_error* carrel_emit(carrel_handle handle, const char* point, const char* event,
                                     size_t event_size, const carrel_call_options* options,
                                     carrel_reply** reply);

/* The points: the output is {"app", "points": [{"point", "combine", "bindings": [{"name",
 * "tenant"}]}]}. */
CARREL_API carrel_error* carrel_points(carrel_handle handle, carrel_reply** reply);

/* ---- functions of the application ------------------------------------------------------------ */

/* A guest calls a function of the application. `input`: JSON, checked against the schema; lives
 * until the callback returns. The callback answers with carrel_answer or carrel_refuse, at once or
 * later and from any thread; the guest waits until then, or until its deadline. Runs on the thread
 * that runs the guest: with carrel_call the caller's, with carrel_call_async one of the library's.
 */
typedef void (*carrel_function)(void* user, carrel_function_call call, const char* input,
                                size_t input_size);

typedef struct carrel_function_options {
  size_t size;
  uint32_t timeout_ms;         /* for one call; 0: what is left of the point's deadline */
  uint32_t rate;               /* calls a second, of each binding; 0: 1,000 */
  void (*release)(void* user); /* once, when the function will not be called any more; or NULL */
} carrel_function_options;
#define CARREL_FUNCTION_OPTIONS {sizeof(carrel_function_options), 0, 0, NULL}

/* Provides a function: modules of points that let them call it (functions = ["NAME"] of [[hook]])
 * write JSON to /app/NAME and read the answer. `schema`: JSON Schema (2020-12) of the input, or
 * NULL. It is there from here on. `options` may be NULL. Errors: "invalid_argument" (the name: 1 to
 * 64 of a-z, 0-9, -, _ and .), "invalid_config" (the schema), "already_exists". `release` is not
 * called then. */
CARREL_API carrel_error* carrel_provide(carrel_handle handle, const char* name, const char* schema,
                                        carrel_function function, void* user,
                                        const carrel_function_options* options);

/* Ends a call of a function with its answer (JSON, 1 MiB at most; what is not JSON fails the call),
 * or with a reason that the guest's owner may see. 1: it did; 0: the call was over (answered
 * before, late, or its handle closed and done), and nothing has happened. Never blocks. */
CARREL_API int carrel_answer(carrel_function_call call, const char* output, size_t output_size);
CARREL_API int carrel_refuse(carrel_function_call call, const char* reason);

/* `context` of the call of a point that led to this call of a function, such as who asks; NULL when
 * the call is over. */
CARREL_API void* carrel_context(carrel_function_call call);

/* Not there yet: unix:/path; events; HTTPS callbacks as functions. */

#ifdef __cplusplus
}
#endif

#endif
