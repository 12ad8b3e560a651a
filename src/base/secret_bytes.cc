#include "base/secret_bytes.h"

#include <algorithm>
#include <cstring>

namespace carrel {

void SecretBytes::Wipe::operator()(char* bytes) const {
  explicit_bzero(bytes, size);
  delete[] bytes;
}

SecretBytes::SecretBytes(std::size_t size) : bytes_(new char[size](), Wipe{size}), size_(size) {}

SecretBytes::SecretBytes(std::string_view copied) : SecretBytes(copied.size()) {
  if (!copied.empty()) std::memcpy(bytes_.get(), copied.data(), copied.size());
}

void wipe(std::string& copy) {
  copy.resize(copy.capacity());
  explicit_bzero(copy.data(), copy.size());
  copy.clear();
}

void SecretBytes::shorten(std::size_t size) { size_ = std::min(size, size_); }

}  // namespace carrel
