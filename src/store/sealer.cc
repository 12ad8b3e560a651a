#include "store/sealer.h"

#include <fmt/format.h>
#include <sodium.h>

#include <array>
#include <cstring>
#include <new>
#include <span>

namespace carrel::store {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kMark = 8;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(Sealer::kOverhead == 1 + kMark + kNonce + kTag);

unsigned char* raw(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
unsigned char* raw(std::span<std::byte> room) {
  return reinterpret_cast<unsigned char*>(room.data());
}
const unsigned char* raw(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

bool sodium_is_ready() {
  static const bool ready = sodium_init() >= 0;
  return ready;
}

void derive(unsigned char* out, std::size_t size, std::string_view purpose, const NodeKey& key) {
  crypto_generichash(out, size, raw(purpose), purpose.size(),
                     reinterpret_cast<const unsigned char*>(key.data()), key.size());
}

void add_sized(std::string& to, std::string_view text) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(text.size() >> shift);
  to += text;
}

// Sizes before texts: no other pair of names gives the same bytes.
std::string place_of(const TenantName& tenant, std::string_view name) {
  std::string place = "carrel secret 1";
  add_sized(place, tenant.str());
  add_sized(place, name);
  return place;
}

struct FreeLocked {
  void operator()(unsigned char* memory) const { sodium_free(memory); }  // wipes it first
};

}  // namespace

struct Sealer::Impl {
  std::unique_ptr<unsigned char, FreeLocked> key;
  std::string mark = std::string(kMark, '\0');  // tells keys apart, and nothing about them
};

Sealer::Sealer(const NodeKey& key) : impl_(std::make_unique<Impl>()) {
  if (!sodium_is_ready()) std::abort();  // no source of randomness: nothing can be kept secret
  impl_->key.reset(static_cast<unsigned char*>(sodium_malloc(kKey)));
  if (impl_->key == nullptr) std::abort();
  derive(impl_->key.get(), kKey, "carrel: key of secrets 1", key);
  std::array<unsigned char, 16> mark;
  derive(mark.data(), mark.size(), "carrel: mark of secrets 1", key);
  std::memcpy(impl_->mark.data(), mark.data(), kMark);
  sodium_mprotect_readonly(impl_->key.get());
}

Sealer::~Sealer() = default;

std::string Sealer::seal(const TenantName& tenant, std::string_view name,
                         std::string_view secret) const {
  std::string out(kOverhead + secret.size(), '\0');
  out[0] = kVersion;
  std::memcpy(out.data() + 1, impl_->mark.data(), kMark);
  unsigned char* const nonce = raw(out) + 1 + kMark;
  randombytes_buf(nonce, kNonce);
  const std::string place = place_of(tenant, name);
  crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + kNonce, nullptr, raw(secret), secret.size(),
                                             raw(std::string_view(place)), place.size(), nullptr,
                                             nonce, impl_->key.get());
  return out;
}

Result<SecretBytes> Sealer::open(const TenantName& tenant, std::string_view name,
                                 std::string_view sealed) const {
  if (sealed.size() < kOverhead || sealed[0] != kVersion)
    return fail(Code::data_corrupt, fmt::format("the secret {} is no sealed value", name),
                "set it again");
  if (sealed.substr(1, kMark) != impl_->mark)
    return fail(Code::permission_denied,
                fmt::format("the secret {} was sealed under another node key", name),
                "start the node with the key it had (CARREL_NODE_KEY or the key file), or set the "
                "secret again");
  const std::string_view nonce = sealed.substr(1 + kMark, kNonce);
  const std::string_view box = sealed.substr(1 + kMark + kNonce);
  SecretBytes secret(box.size() - kTag);
  const std::string place = place_of(tenant, name);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(raw(secret.room()), nullptr, nullptr, raw(box),
                                                 box.size(), raw(std::string_view(place)),
                                                 place.size(), raw(nonce), impl_->key.get()) != 0)
    return fail(Code::data_corrupt, fmt::format("the secret {} is damaged", name), "set it again");
  return secret;
}

}  // namespace carrel::store
