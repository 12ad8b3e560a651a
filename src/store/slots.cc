#include "store/slots.h"

#include <sodium.h>

#include <array>

namespace carrel::store {
namespace {

using HashKey = std::array<unsigned char, crypto_shorthash_KEYBYTES>;

HashKey random_key() {
  HashKey key{};
  if (sodium_init() >= 0) randombytes_buf(key.data(), key.size());
  return key;
}

// A key begins with its format: these first bytes keep folders' and stores' hashes apart from it.
constexpr char kFolder = '\xfe', kStore = '\xff';

}  // namespace

std::uint64_t hash_of(std::string_view bytes) {
  static const HashKey key = random_key();
  std::uint64_t hash = 0;
  static_assert(sizeof hash == crypto_shorthash_BYTES);
  crypto_shorthash(reinterpret_cast<unsigned char*>(&hash),
                   reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), key.data());
  return hash;
}

std::uint64_t hash_of_name(const Key& key) { return hash_of(encode(key)); }
std::uint64_t hash_of_folder(const Key& key) { return hash_of(kFolder + encode(key)); }
std::uint64_t hash_of_store(const Key& key) {
  return hash_of(kStore + prefix_of(key.tenant, key.kind, key.store));
}

std::vector<std::uint64_t> folders_above(const Key& key) {
  std::vector<std::uint64_t> hashes;
  Key folder = key;
  folder.name = {};
  hashes.push_back(hash_of_folder(folder));
  for (std::size_t at = key.name.find('/');
       at != std::string_view::npos && hashes.size() < kMostFolders;
       at = key.name.find('/', at + 1)) {
    folder.name = key.name.substr(0, at);
    hashes.push_back(hash_of_folder(folder));
  }
  return hashes;
}

SlotTable::SlotTable()
    : stamps_(std::make_unique<std::atomic<std::uint64_t>[]>(std::size_t{1} << kSlotBits)) {}

Version SlotTable::last_write(Slot slot) const {
  return Version{stamps_[slot].load(std::memory_order_acquire)};
}

void SlotTable::stamp(Slot slot, Version version) {
  stamps_[slot].store(static_cast<std::uint64_t>(version), std::memory_order_release);
}

}  // namespace carrel::store
