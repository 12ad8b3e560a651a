#include <algorithm>

#include "node.h"

namespace carrel::node {

napi_value refuse_argument(napi_env env, const char* text) {
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", text);
  return nullptr;
}

napi_value string_of(napi_env env, const char* text, size_t size) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, text, size, &value);
  return value;
}

napi_value undefined(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

Arguments::Arguments(napi_env env, napi_callback_info info) : env_(env) {
  napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr);
  count_ = std::min(count_, kMost);
}

void Arguments::fail(const char* text) {
  if (good_) refuse_argument(env_, text);
  good_ = false;
}

bool Arguments::is(napi_value value, napi_valuetype type) {
  napi_valuetype found = napi_undefined;
  return napi_typeof(env_, value, &found) == napi_ok && found == type;
}

napi_value Arguments::value() {
  if (next_ < count_) return values_[next_++];
  return undefined(env_);
}

uint64_t Arguments::number64() {
  uint64_t number = 0;
  bool whole = false;
  if (napi_get_value_bigint_uint64(env_, value(), &number, &whole) != napi_ok || !whole)
    fail("expected a BigInt");
  return number;
}

uint32_t Arguments::number() {
  uint32_t number = 0;
  if (napi_get_value_uint32(env_, value(), &number) != napi_ok) fail("expected a number");
  return number;
}

bool Arguments::text(std::string& into) {
  const napi_value given = value();
  if (is(given, napi_undefined) || is(given, napi_null)) return false;
  size_t size = 0;
  if (napi_get_value_string_utf8(env_, given, nullptr, 0, &size) != napi_ok) {
    fail("expected a string");
    return false;
  }
  into.resize(size);
  napi_get_value_string_utf8(env_, given, into.data(), size + 1, &size);
  if (into.find('\0') != std::string::npos) fail("a text with a NUL");
  return true;
}

void Arguments::text_needed(std::string& into) {
  if (!text(into)) fail("expected a string");
}

bool Arguments::json(const char*& at, size_t& size) {
  const napi_value given = value();
  bool bytes = false;
  if (napi_is_typedarray(env_, given, &bytes) == napi_ok && bytes) {
    napi_typedarray_type type = napi_uint8_array;
    void* data = nullptr;
    napi_get_typedarray_info(env_, given, &type, &size, &data, nullptr, nullptr);
    if (type != napi_uint8_array) fail("expected a string or a Uint8Array");
    at = data != nullptr ? static_cast<const char*>(data) : "";
    return good_;
  }
  if (napi_get_value_string_utf8(env_, given, nullptr, 0, &size) != napi_ok) {
    fail("expected a string or a Uint8Array");
    return false;
  }
  copy_.resize(size);
  napi_get_value_string_utf8(env_, given, copy_.data(), size + 1, &size);
  at = copy_.data();
  return true;
}

}  // namespace carrel::node
