// WASI 0.2 for C by hand: the imports this guest uses, in the canonical ABI's flat form, and a little over them.
// Source: the WIT files of WASI 0.2.12. Results are written to `r`: a tag, then what the tag means.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define TYPES "wasi:http/types@0.2.12"
#define STREAMS "wasi:io/streams@0.2.12"
#define POLL "wasi:io/poll@0.2.12"
#define FILES "wasi:filesystem/types@0.2.12"
#define MONOTONIC "wasi:clocks/monotonic-clock@0.2.12"

typedef int32_t handle;
typedef struct {
  const char *data;
  size_t size;
} text;

IMPORT(TYPES, "[constructor]fields") handle fields_new(void);
IMPORT(TYPES, "[method]fields.append")
void fields_append(handle self, const char *name, size_t n, const char *value, size_t m, void *r);
IMPORT(TYPES, "[method]fields.get") void fields_get(handle self, const char *name, size_t n, void *r);
IMPORT(TYPES, "[resource-drop]fields") void fields_drop(handle self);
IMPORT(TYPES, "[method]incoming-request.method") void request_method(handle self, void *r);
IMPORT(TYPES, "[method]incoming-request.path-with-query") void request_path(handle self, void *r);
IMPORT(TYPES, "[method]incoming-request.authority") void request_authority(handle self, void *r);
IMPORT(TYPES, "[method]incoming-request.headers") handle request_headers(handle self);
IMPORT(TYPES, "[method]incoming-request.consume") void request_consume(handle self, void *r);
IMPORT(TYPES, "[method]incoming-body.stream") void incoming_stream(handle self, void *r);
IMPORT(TYPES, "[static]incoming-body.finish") handle incoming_finish(handle self);
IMPORT(TYPES, "[method]future-trailers.subscribe") handle trailers_subscribe(handle self);
IMPORT(TYPES, "[method]future-trailers.get") void trailers_get(handle self, void *r);
IMPORT(TYPES, "[resource-drop]incoming-request") void request_drop(handle self);
IMPORT(TYPES, "[constructor]outgoing-response") handle response_new(handle headers);
IMPORT(TYPES, "[method]outgoing-response.set-status-code") int32_t response_status(handle self, int32_t status);
IMPORT(TYPES, "[method]outgoing-response.body") void response_body(handle self, void *r);
IMPORT(TYPES, "[static]response-outparam.set")
void outparam_set(handle param, int32_t is_error, handle response, int32_t, int64_t, int32_t, int32_t, int32_t,
                  int32_t);
IMPORT(TYPES, "[method]outgoing-body.write") void body_write(handle self, void *r);
IMPORT(TYPES, "[static]outgoing-body.finish")
void body_finish(handle self, int32_t has_trailers, handle trailers, void *r);
IMPORT(TYPES, "[resource-drop]outgoing-body") void body_drop(handle self);
IMPORT(TYPES, "[constructor]outgoing-request") handle call_new(handle headers);
IMPORT(TYPES, "[method]outgoing-request.set-scheme")
int32_t call_scheme(handle self, int32_t some, int32_t tag, const char *p, size_t n);
IMPORT(TYPES, "[method]outgoing-request.set-authority")
int32_t call_authority(handle self, int32_t some, const char *p, size_t n);
IMPORT(TYPES, "[method]outgoing-request.set-path-with-query")
int32_t call_path(handle self, int32_t some, const char *p, size_t n);
IMPORT(TYPES, "[method]outgoing-request.set-method")
int32_t call_method(handle self, int32_t tag, const char *p, size_t n);
IMPORT(TYPES, "[method]outgoing-request.body") void call_body(handle self, void *r);
IMPORT(TYPES, "[constructor]request-options") handle options_new(void);
IMPORT(TYPES, "[method]request-options.set-first-byte-timeout")
int32_t options_first_byte(handle self, int32_t some, int64_t nanoseconds);
IMPORT(TYPES, "[method]request-options.set-between-bytes-timeout")
int32_t options_between_bytes(handle self, int32_t some, int64_t nanoseconds);
IMPORT("wasi:http/outgoing-handler@0.2.12", "handle")
void call_send(handle request, int32_t has_options, handle options, void *r);
IMPORT(TYPES, "[method]future-incoming-response.subscribe") handle future_subscribe(handle self);
IMPORT(TYPES, "[method]future-incoming-response.get") void future_get(handle self, void *r);
IMPORT(TYPES, "[method]incoming-response.status") int32_t answer_status(handle self);
IMPORT(TYPES, "[method]incoming-response.consume") void answer_consume(handle self, void *r);

IMPORT(STREAMS, "[method]input-stream.read") void stream_read_now(handle self, int64_t most, void *r);
IMPORT(STREAMS, "[method]input-stream.blocking-read") void stream_read(handle self, int64_t most, void *r);
IMPORT(STREAMS, "[resource-drop]input-stream") void input_drop(handle self);
IMPORT(STREAMS, "[method]output-stream.blocking-write-and-flush")
void stream_write(handle self, const char *bytes, size_t n, void *r);
IMPORT(STREAMS, "[method]output-stream.write") void stream_write_now(handle self, const char *p, size_t n, void *r);
IMPORT(STREAMS, "[resource-drop]output-stream") void output_drop(handle self);

IMPORT(POLL, "[method]pollable.block") void pollable_block(handle self);
IMPORT(POLL, "[method]pollable.ready") int32_t pollable_ready(handle self);
IMPORT(POLL, "[resource-drop]pollable") void pollable_drop(handle self);
IMPORT(MONOTONIC, "subscribe-duration") handle after(int64_t nanoseconds);
IMPORT(MONOTONIC, "now") int64_t monotonic_now(void);

IMPORT("wasi:filesystem/preopens@0.2.12", "get-directories") void preopens(void *r);
IMPORT(FILES, "[method]descriptor.open-at")
void open_at(handle self, int32_t path_flags, const char *p, size_t n, int32_t how, int32_t flags, void *r);
IMPORT(FILES, "[method]descriptor.read") void file_read(handle self, int64_t most, int64_t at, void *r);
IMPORT(FILES, "[method]descriptor.write")
void file_write(handle self, const char *p, size_t n, int64_t at, void *r);
IMPORT(FILES, "[method]descriptor.unlink-file-at")
void unlink_at(handle self, const char *p, size_t n, void *r);
IMPORT(FILES, "[method]descriptor.read-directory") void list_folder(handle self, void *r);
IMPORT(FILES, "[method]directory-entry-stream.read-directory-entry") void list_next(handle self, void *r);
IMPORT(FILES, "[resource-drop]descriptor") void file_drop(handle self);
IMPORT("wasi:sockets/tcp-create-socket@0.2.12", "create-tcp-socket") void tcp_new(int32_t family, void *r);
IMPORT("wasi:sockets/udp-create-socket@0.2.12", "create-udp-socket") void udp_new(int32_t family, void *r);
IMPORT("wasi:cli/environment@0.2.12", "get-environment") void environment(void *r);
IMPORT("wasi:cli/stdout@0.2.12", "get-stdout") handle standard_out(void);

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align,
                                                               size_t size) {
  (void)old_size, (void)align;
  void *block = realloc(old, size > 0 ? size : 1);
  if (block == NULL) __builtin_trap();
  return block;
}

typedef union {
  uint8_t tag;
  int32_t word[24];
  int64_t alignment;
} result;

static text text_at(const result *r, int word) {
  return (text){.data = (const char *)r->word[word], .size = (size_t)r->word[word + 1]};
}

static handle handle_of(const result *r) {
  if (r->tag != 0) __builtin_trap();
  return r->word[1];
}

static int same(text a, const char *b) { return a.size == strlen(b) && memcmp(a.data, b, a.size) == 0; }
