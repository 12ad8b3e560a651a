// Ownership of Wasmtime's C objects. For this room's sources only.
#pragma once

#include <carrel/component.h>
#include <carrel/engine.h>

#include <string>

#include "base/handle.h"

namespace carrel::wasm {

using StoreHandle = Handle<wasmtime_store_t, wasmtime_store_delete>;
using FutureHandle = Handle<wasmtime_call_future_t, wasmtime_call_future_delete>;
using ErrorHandle = Handle<wasmtime_error_t, wasmtime_error_delete>;
using TrapHandle = Handle<wasm_trap_t, wasm_trap_delete>;

inline std::string text_of(const wasm_name_t* name) {
  return name == nullptr ? std::string() : std::string(name->data, name->size);
}

inline std::string message_of(const wasmtime_error_t* error) {
  wasm_name_t text{};
  wasmtime_error_message(error, &text);
  std::string message(text.data, text.size);
  wasm_byte_vec_delete(&text);
  return message;
}

inline std::string take_text(carrel_buffer& buffer) {
  std::string text(reinterpret_cast<const char*>(buffer.data), buffer.size);
  carrel_buffer_free(&buffer);
  return text;
}

}  // namespace carrel::wasm
