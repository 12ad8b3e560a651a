#include "cli/case_blobs.h"

#include <fmt/format.h>

#include <algorithm>

namespace carrel::cli {
namespace {

store::Place place_of(const app::StateName& name) {
  return {.kind = store::Kind::blob, .store = name.store};
}

}  // namespace

async::Task<Result<void>> CaseBlobs::put(const app::StateValue* blob) {
  const store::Place place = place_of(blob->name);
  store::BlobManifest manifest{.size = blob->bytes.size()};
  for (std::size_t at = 0; at < blob->bytes.size(); at += store::kPartBytes) {
    auto part =
        co_await store::keep_part(&store_, tenant_, blob->bytes.substr(at, store::kPartBytes));
    if (!part) co_return std::unexpected(std::move(part).error());
    manifest.parts.push_back(part->hash);
    pins_.push_back(std::move(part->pin));
  }
  CARREL_CO_TRY_VOID(co_await transaction_.read(place, blob->name.key, store::Track::no));
  CARREL_CO_TRY_VOID(transaction_.put(place, blob->name.key, {.bytes = store::encode(manifest)}));
  co_return transaction_.set_weight(place, blob->name.key, manifest.size);
}

async::Task<Result<std::optional<std::string>>> CaseBlobs::get(app::StateName name) {
  CARREL_CO_TRY(const store::Record* const record,
                co_await transaction_.read(place_of(name), name.key, store::Track::no));
  if (record == nullptr) co_return std::nullopt;
  const auto manifest = store::decode_manifest(record->bytes);
  if (!manifest) co_return fail(Code::data_corrupt, "a blob's manifest is damaged");
  if (manifest->size > app::kMaxCaseBlob) {
    co_return fail(Code::body_too_large,
                   fmt::format("the blob {} has {} bytes, and a case may hold {}",
                               app::text_of(name), manifest->size, app::kMaxCaseBlob));
  }
  std::string bytes;
  for (const store::PartHash& hash : manifest->parts) {
    const std::size_t size = std::min(manifest->size - bytes.size(), store::kPartBytes);
    CARREL_CO_TRY(const std::string part, co_await store::fetch_part(&store_, tenant_, hash, size));
    bytes += part;
  }
  co_return bytes;
}

}  // namespace carrel::cli
