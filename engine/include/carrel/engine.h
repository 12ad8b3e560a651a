// What Carrel adds to Wasmtime's C API: an engine made with checked settings, ahead-of-time
// compilation, and host functions that may suspend the guest.
//
// No Rust panic leaves the archive: an `extern "C"` function that one reaches ends the process, and
// none is reachable by bad input; what runs guests catches them (component.h). Errors are returned
// as a UTF-8 text in a `carrel_buffer`, freed by the caller. Thread-safety: the engine may be
// shared by all threads; a linker belongs to the thread that fills it.
#pragma once

#include <carrel/buffer.h>
#include <wasmtime.h>

#ifdef __cplusplus
extern "C" {
#endif

// Settings of an engine. Sizes are bytes, counts are slots of the pooling allocator, which holds a
// memory and four tables for each. A module may have as many, a component eight memories and
// sixteen tables: two slots' worth and more, which whoever lets guests in has to count.
typedef struct carrel_engine_settings {
  uint32_t slots;               // instances, memories and stacks that live at once
  uint32_t warm_slots;          // unused ones that keep their module's memory and what is resident
  uint32_t table_elements;      // per table
  uint64_t max_instance_size;   // VMContext of one instance
  uint64_t max_memory_size;     // the largest linear memory any store may ask for
  uint64_t memory_reservation;  // address space a slot
  uint64_t memory_guard_size;   // never 0
  uint64_t memory_keep_resident;  // reset by copying instead of madvise, per slot
  uint64_t table_keep_resident;
  uint64_t stack_keep_resident;
  uint64_t max_wasm_stack;
  uint64_t async_stack_size;
  uint32_t decommit_batch;  // 1: at once
  uint8_t pooling;          // 0: on-demand allocation (compiling child, small hosts)
  uint8_t pagemap_scan;     // 1: ask the kernel which pages are dirty (6.7 and newer)
  uint8_t parallel_compilation;
  uint8_t backtrace;    // 0: traps carry no frames
  uint8_t concurrency;  // 1: components of WASI 0.3; every call of any component costs more then
} carrel_engine_settings;

// Makes an engine. Null and a text in `error` when a setting is refused or the pool cannot be
// mapped.
wasm_engine_t* carrel_engine_new(const carrel_engine_settings* settings, carrel_buffer* error);

// A number that changes whenever code compiled by one engine cannot be loaded by another.
uint64_t carrel_engine_compatibility(const wasm_engine_t* engine);

// Validates and compiles a module (binary, or text when it starts with '(' or a comment) or a
// component (binary). True: `code` holds what `wasmtime_module_deserialize` or
// `carrel_component_load` takes. False: `code` holds the error's text.
bool carrel_engine_compile(const wasm_engine_t* engine, const uint8_t* wasm, size_t size,
                           carrel_buffer* code);

// Turns WAT text into a binary module; a binary is copied. Same results as above.
bool carrel_wat_to_wasm(const uint8_t* text, size_t size, carrel_buffer* wasm);

// A host function that may suspend the calling guest. `args` are the call's operands, i32
// zero-extended. It is called again with the same operands at every poll until it answers something
// else than pending.
typedef enum carrel_host_status {
  CARREL_HOST_DONE = 0,     // `*result` is the i32 result
  CARREL_HOST_PENDING = 1,  // call again at the next poll
  CARREL_HOST_TRAP = 2,     // ends the guest
} carrel_host_status;
typedef carrel_host_status (*carrel_host_fn)(void* env, wasmtime_caller_t* caller,
                                             const uint64_t* args, int32_t* result);

// Defines such a function. `params` spells the operands: 'i' for i32, 'I' for i64; the result is
// one i32. False: a signature nobody has needed yet, or a name defined before; the text is in
// `error`.
bool carrel_linker_define_suspending(wasmtime_linker_t* linker, const char* module,
                                     size_t module_size, const char* name, size_t name_size,
                                     const char* params, carrel_host_fn function, void* env,
                                     carrel_buffer* error);

// Where a module exports something: for all its instances, so that none looks for a name. A value,
// good as long as the module.
typedef struct carrel_export {
  uint64_t place[2];
} carrel_export;

// False: it exports nothing of that name.
bool carrel_module_export(const wasmtime_module_t* module, const char* name, size_t size,
                          carrel_export* export_);

// As `wasmtime_instance_export_get` and `wasmtime_caller_export_get`. False: it is another
// module's.
bool carrel_instance_export(wasmtime_context_t* store, const wasmtime_instance_t* instance,
                            const carrel_export* export_, wasmtime_extern_t* item);
bool carrel_caller_export(wasmtime_caller_t* caller, const carrel_export* export_,
                          wasmtime_extern_t* item);

#ifdef __cplusplus
}  // extern "C"
#endif
