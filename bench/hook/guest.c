// The module of the hook benchmark, one source for both hosts: answers its input, a JSON object,
// with "discount" added.
//
//   (nothing)    a WASI command, for Carrel
//   EXTISM       an Extism plugin that exports `run`
//   FUNCTIONS=N  a WASI command that first calls the application's function "add" N times
#include <stdint.h>

enum { kRoom = 1 << 13 };
static char document[kRoom];

// Twelve items at most are looked at: what a small rule does.
static uint32_t rule(uint32_t size) {
  uint32_t items = 0;
  for (uint32_t i = 0; i + 4 < size && items < 12; ++i) {
    if (document[i] == '"' && document[i + 1] == 's' && document[i + 2] == 'k' &&
        document[i + 3] == 'u')
      ++items;
  }
  static const char more[] = ",\"discount\":0}";
  while (size > 0 && document[size - 1] != '}') --size;
  if (size < sizeof more) return 0;
  // One that was there before, as in a chain, is replaced.
  const char* const last = document + size - (sizeof more - 1);
  if (last[0] == ',' && last[2] == 'd' && last[10] == '"') size -= (uint32_t)sizeof more - 2;
  for (uint32_t i = 0; i < sizeof more - 1; ++i) document[size - 1 + i] = more[i];
  document[size + 11] = (char)('0' + items % 10);
  return size + (uint32_t)sizeof more - 2;
}

#ifdef EXTISM
#define IMPORT(name) __attribute__((import_module("extism:host/env"), import_name(#name)))
IMPORT(input_length) uint64_t input_length(void);
IMPORT(input_load_u64) uint64_t input_load_u64(uint64_t at);
IMPORT(input_load_u8) uint32_t input_load_u8(uint64_t at);
IMPORT(alloc) uint64_t alloc(uint64_t size);
IMPORT(store_u64) void store_u64(uint64_t at, uint64_t value);
IMPORT(store_u8) void store_u8(uint64_t at, uint32_t value);
IMPORT(output_set) void output_set(uint64_t at, uint64_t size);

// As Extism's C kit copies: eight bytes at a time.
__attribute__((export_name("run"))) int32_t run(void) {
  const uint64_t size = input_length();
  if (size > kRoom - 32) return 1;
  uint64_t i = 0;
  for (; i + 8 <= size; i += 8) *(uint64_t*)(document + i) = input_load_u64(i);
  for (; i < size; ++i) document[i] = (char)input_load_u8(i);
  const uint64_t made = rule((uint32_t)size);
  const uint64_t at = alloc(made);
  for (i = 0; i + 8 <= made; i += 8) store_u64(at + i, *(uint64_t*)(document + i));
  for (; i < made; ++i) store_u8(at + i, (uint8_t)document[i]);
  output_set(at, made);
  return 0;
}
#else
#include <wasi/api.h>

static void call_functions(void) {
#ifdef FUNCTIONS
  static const char input[] = "{\"a\":1,\"b\":2}";
  static char answer[256];
  for (int i = 0; i < FUNCTIONS; ++i) {
    __wasi_fd_t file;
    __wasi_size_t moved;
    if (__wasi_path_open(3, 0, "app/add", 0, __WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_WRITE, 0, 0,
                         &file) != 0)
      __builtin_trap();
    const __wasi_ciovec_t from = {(const uint8_t*)input, sizeof input - 1};
    if (__wasi_fd_write(file, &from, 1, &moved) != 0) __builtin_trap();
    const __wasi_iovec_t into = {(uint8_t*)answer, sizeof answer};
    if (__wasi_fd_read(file, &into, 1, &moved) != 0 || moved != 1 || answer[0] != '3')
      __builtin_trap();
    if (__wasi_fd_close(file) != 0) __builtin_trap();
  }
#endif
}

int main(void) {
  call_functions();
  uint32_t size = 0;
  for (;;) {
    const __wasi_iovec_t into = {(uint8_t*)document + size, kRoom - 32 - size};
    __wasi_size_t moved = 0;
    if (__wasi_fd_read(0, &into, 1, &moved) != 0) return 1;
    if (moved == 0) break;
    size += (uint32_t)moved;
  }
  const __wasi_ciovec_t from = {(const uint8_t*)document, rule(size)};
  __wasi_size_t moved = 0;
  return __wasi_fd_write(1, &from, 1, &moved) == 0 && moved == from.buf_len ? 0 : 1;
}
#endif
