// Node's stable ABI, Node-API 9: one build serves Node 20 and later.
#pragma once

#define NAPI_VERSION 9
#include <carrel/carrel.h>
#include <node_api.h>

#include <initializer_list>
#include <string>

namespace carrel::node {

// Throws TypeError in JavaScript. Always null.
napi_value refuse_argument(napi_env env, const char* text);

napi_value string_of(napi_env env, const char* text, size_t size);
napi_value undefined(napi_env env);

// The arguments of a call, read in order; the first bad one throws, and `good` is false from there.
class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info);

  bool good() const { return good_; }
  napi_value value();
  uint64_t number64();  // a BigInt
  uint32_t number();
  void text_needed(std::string& into);
  bool text(std::string& into);              // false: undefined or null
  bool json(const char*& at, size_t& size);  // a string, copied, or bytes, as they are

 private:
  static constexpr size_t kMost = 9;
  void fail(const char* text);
  bool is(napi_value value, napi_valuetype type);

  napi_env env_;
  napi_value values_[kMost];
  size_t count_ = kMost, next_ = 0;
  bool good_ = true;
  std::string copy_;
};

}  // namespace carrel::node
