// Bytes that the engine archive hands out.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Bytes owned by the Rust side. `data` is null when there are none.
typedef struct carrel_buffer {
  uint8_t* data;
  size_t size;
  size_t capacity;
} carrel_buffer;

void carrel_buffer_free(carrel_buffer* buffer);

#ifdef __cplusplus
}  // extern "C"
#endif
