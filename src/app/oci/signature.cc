#include "app/oci/signature.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/oci/registry.h"
#include "base/base64.h"

namespace carrel::oci {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kType = "cosign container image signature";
constexpr std::size_t kMostSignatures = 64, kMostPayload = 64 << 10;

struct Signed {
  std::string payload, signature;
};

// The image of signatures; one without layers if there is none yet.
async::Task<Result<Image>> find_signatures(Session* session, std::string digest) {
  auto fetched = co_await fetch_document(session, signature_tag(digest));
  if (!fetched && fetched.error().code() == Code::not_found) co_return Image();
  if (!fetched) co_return std::unexpected(std::move(fetched).error());
  CARREL_CO_TRY(Document document, parse_document(fetched->bytes, fetched->media_type));
  auto* image = std::get_if<Image>(&document);
  if (image == nullptr) co_return fail(Code::registry_failed, "the signatures are no image");
  if (image->layers.size() > kMostSignatures) {
    co_return fail(Code::registry_failed,
                   fmt::format("there are more than {} signatures", kMostSignatures));
  }
  co_return std::move(*image);
}

// One that cannot be read is none; a registry that lies about a payload fails all.
async::Task<Result<std::vector<Signed>>> read_signatures(Session* session, Image image) {
  std::vector<Signed> all;
  for (const Descriptor& layer : image.layers) {
    const auto signature = from_base64(layer.annotation(kSignatureAnnotation));
    const bool readable = layer.media_type == kSimpleSigning && layer.size <= kMostPayload;
    if (!signature || signature->empty() || !readable) continue;
    CARREL_CO_TRY(std::string payload, co_await fetch_small_blob(session, layer, kMostPayload));
    all.push_back({.payload = std::move(payload), .signature = *signature});
  }
  co_return all;
}

bool is_by(const Signed& each, const PublicKey& key, std::string_view digest) {
  return key.verifies(each.payload, each.signature) && is_payload_of(each.payload, digest);
}

Error not_signed(std::string_view digest, const std::vector<Signed>& all) {
  const std::string what =
      all.empty() ? fmt::format("{} is not signed", digest)
                  : fmt::format("none of the {} signatures of {} is by a key that is trusted",
                                all.size(), digest);
  return Error(Code::not_signed, what,
               "sign it: carrel sign REF --key FILE, or cosign sign --key FILE "
               "--new-bundle-format=false (bundles are not read)");
}

// What other tools expect an image's configuration to be.
std::string config_of(const Image& image) {
  Json layers = Json::array();
  for (const Descriptor& layer : image.layers) layers.push_back(layer.digest);
  return Json{{"architecture", ""},
              {"created", "0001-01-01T00:00:00Z"},
              {"os", ""},
              {"rootfs", {{"type", "layers"}, {"diff_ids", layers}}},
              {"config", Json::object()}}
      .dump();
}

async::Task<Result<void>> put_signatures(Session* session, Image image, std::string payload,
                                         std::string digest) {
  const std::string config = config_of(image);
  image.config = {.media_type = "application/vnd.oci.image.config.v1+json",
                  .digest = digest_of(config),
                  .size = config.size()};
  CARREL_CO_TRY_VOID(co_await put_blob(session, std::move(payload)));
  CARREL_CO_TRY_VOID(co_await put_blob(session, config));
  CARREL_CO_TRY_VOID(co_await put_document(session, write_image(image), std::string(kOciManifest),
                                           signature_tag(digest)));
  co_return Result<void>();
}

}  // namespace

std::string signature_tag(std::string_view digest) {
  std::string tag(digest);
  std::ranges::replace(tag, ':', '-');
  return tag + ".sig";
}

std::string write_payload(const Reference& reference, std::string_view digest) {
  const Json json{
      {"critical",
       {{"identity", {{"docker-reference", reference.registry + "/" + reference.repository}}},
        {"image", {{"docker-manifest-digest", digest}}},
        {"type", kType}}},
      {"optional", nullptr}};
  return json.dump();
}

bool is_payload_of(std::string_view payload, std::string_view digest) {
  const Json json = Json::parse(payload, nullptr, false);
  if (!json.is_object()) return false;
  const auto critical = json.find("critical");
  if (critical == json.end() || !critical->is_object()) return false;
  const auto type = critical->find("type");
  const auto image = critical->find("image");
  if (type == critical->end() || *type != kType) return false;
  if (image == critical->end() || !image->is_object()) return false;
  const auto named = image->find("docker-manifest-digest");
  return named != image->end() && named->is_string() && *named == digest;
}

async::Task<Result<Verified>> sign_image(Session* session, SigningKey key) {
  CARREL_CO_TRY(const Fetched fetched,
                co_await fetch_document(session, session->reference().version()));
  const Verified done{.image = fetched.digest, .key_ids = {key.public_key().id()}};
  CARREL_CO_TRY(Image image, co_await find_signatures(session, fetched.digest));
  CARREL_CO_TRY(const auto others, co_await read_signatures(session, image));
  const bool there = std::ranges::any_of(
      others, [&](const Signed& each) { return is_by(each, key.public_key(), fetched.digest); });
  if (there) co_return done;
  const std::string payload = write_payload(session->reference(), fetched.digest);
  CARREL_CO_TRY(const std::string signature, key.sign(payload));
  image.layers.push_back(
      {.media_type = std::string(kSimpleSigning),
       .digest = digest_of(payload),
       .size = payload.size(),
       .annotations = {{std::string(kSignatureAnnotation), to_base64(signature)}}});
  CARREL_CO_TRY_VOID(co_await put_signatures(session, std::move(image), payload, fetched.digest));
  co_return done;
}

async::Task<Result<Verified>> verify_image(Session* session, std::vector<PublicKey> keys) {
  Verified verified{.image = session->reference().digest};
  if (verified.image.empty()) {
    CARREL_CO_TRY(const Fetched fetched,
                  co_await fetch_document(session, session->reference().version()));
    verified.image = fetched.digest;
  }
  CARREL_CO_TRY(Image image, co_await find_signatures(session, verified.image));
  CARREL_CO_TRY(const auto all, co_await read_signatures(session, std::move(image)));
  for (const PublicKey& key : keys) {
    const bool has_signed = std::ranges::any_of(
        all, [&](const Signed& each) { return is_by(each, key, verified.image); });
    if (has_signed) verified.key_ids.push_back(key.id());
  }
  if (verified.key_ids.empty()) co_return std::unexpected(not_signed(verified.image, all));
  co_return verified;
}

}  // namespace carrel::oci
