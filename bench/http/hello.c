// The guest of the HTTP benchmark, one source for two ABIs: a WASI command that answers by CGI, and with
// -DCOMPONENT a wasi:http 0.2 component whose imports are declared by hand (canonical ABI, flat signatures;
// source: the WIT files of wasi:http 0.2.12).
#include <stddef.h>
#include <stdint.h>

#define BODY "Hello from a fresh instance!\n"
#define TYPE "text/plain"

#ifndef COMPONENT
#include <unistd.h>

int main(void) {
  static const char reply[] = "content-type: " TYPE "\n\n" BODY;
  return write(1, reply, sizeof reply - 1) == sizeof reply - 1 ? 0 : 1;
}

#else
#define IMPORT(module, name) __attribute__((import_module(module), import_name(name)))
#define TYPES "wasi:http/types@0.2.12"
#define STREAMS "wasi:io/streams@0.2.12"

IMPORT(TYPES, "[constructor]fields") int32_t fields_new(void);
IMPORT(TYPES, "[method]fields.append")
void fields_append(int32_t self, const char *name, size_t n, const char *value, size_t m, void *result);
IMPORT(TYPES, "[constructor]outgoing-response") int32_t response_new(int32_t headers);
IMPORT(TYPES, "[method]outgoing-response.body") void response_body(int32_t self, void *result);
IMPORT(TYPES, "[static]response-outparam.set")
void outparam_set(int32_t param, int32_t is_error, int32_t response, int32_t, int64_t, int32_t, int32_t, int32_t,
                  int32_t);
IMPORT(TYPES, "[method]outgoing-body.write") void body_write(int32_t self, void *result);
IMPORT(TYPES, "[static]outgoing-body.finish")
void body_finish(int32_t self, int32_t has_trailers, int32_t trailers, void *result);
IMPORT(STREAMS, "[method]output-stream.blocking-write-and-flush")
void stream_write(int32_t self, const char *bytes, size_t n, void *result);
IMPORT(STREAMS, "[resource-drop]output-stream") void stream_drop(int32_t self);

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

static int32_t handle_of(const int32_t *result) {
  if (result[0] & 0xff) __builtin_trap();
  return result[1];
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.12#handle"))) void handle(int32_t request,
                                                                                     int32_t outparam) {
  (void)request;
  _Alignas(8) int32_t result[16];
  const int32_t headers = fields_new();
  fields_append(headers, "content-type", 12, TYPE, sizeof TYPE - 1, result);
  const int32_t response = response_new(headers);
  response_body(response, result);
  const int32_t body = handle_of(result);
  outparam_set(outparam, 0, response, 0, 0, 0, 0, 0, 0);
  body_write(body, result);
  const int32_t stream = handle_of(result);
  stream_write(stream, BODY, sizeof BODY - 1, result);
  stream_drop(stream);
  body_finish(body, 0, 0, result);
}
#endif
