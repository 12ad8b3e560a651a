// A tenant's blobs, for its operator: streamed in and out, part by part.
//
// One that is put is on the disk before the commit that names it. One that is read is what it was
// when it was found: its parts are pinned, whatever becomes of the name meanwhile.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/audit.h"
#include "api/body.h"
#include "api/call.h"
#include "api/state_path.h"
#include "api/step.h"
#include "base/percent.h"
#include "capability/blob/manifest.h"
#include "store/part_io.h"
#include "tenant/tenant.h"

namespace carrel::api {
namespace {

using async::Task;
using capability::blob::kMaxBlob;
using Json = nlohmann::json;

// One blob, or a store of them.
struct Place {
  store::Place store;
  std::string name;
};

Result<Place> place_of(const Call& call, Thing thing) {
  std::string text(call.raw("store"));
  if (thing == Thing::blob) text += fmt::format("/{}", call.raw("key"));
  CARREL_TRY(StatePath path, read_state_path(thing, text));
  return Place{.store = {.kind = store::Kind::blob, .store = std::move(path.store)},
               .name = std::move(path.name)};
}

// What each of these does to the store, in a tenant that there is.
struct Look : AnsweringStep {
  Look(Call* c, Place p) : AnsweringStep(c), place(std::move(p)) {}
  Task<Result<void>> run(store::Transaction& transaction) override {
    CARREL_CO_TRY(const auto found, co_await tenant::require(&transaction, call->tenant));
    (void)found;
    co_return co_await act(&transaction);
  }
  virtual Task<Result<void>> act(store::Transaction*) { co_return Result<void>(); }

  // How large the blob is.
  static Json seen(const store::Record* of) {
    if (of == nullptr) return {};
    return {{"bytes", capability::blob::size_of(of->bytes)}};
  }
  Result<void> record_change(store::Transaction* transaction, const Json& before,
                             const Json& after) const {
    return record(*transaction, *call, call->tenant,
                  {fmt::format("blobs/{}/{}", place.store.store, place.name), before, after});
  }

  Place place;
};

Task<Result<Answer>> finish(Call* call, Look* step) {
  return commit_answering(call, call->tenant, {.quota = call->storage()}, step);
}

struct Find final : Look {
  using Look::Look;
  Task<Result<void>> act(store::Transaction* transaction) override {
    CARREL_CO_TRY(const store::Record* const record,
                  co_await transaction->read(place.store, place.name));
    if (record == nullptr) co_return fail(Code::not_found, "there is no blob of that name");
    auto decoded = store::decode_manifest(record->bytes);
    if (!decoded) co_return fail(Code::data_corrupt, "a blob's manifest is damaged");
    manifest = std::move(*decoded);
    co_return Result<void>();
  }
  store::BlobManifest manifest;
};

Task<Result<std::string>> fetch(Call* call, const store::BlobManifest* manifest,
                                std::size_t index) {
  const std::uint64_t before = index * store::kPartBytes;
  const auto size = std::min<std::uint64_t>(manifest->size - before, store::kPartBytes);
  return store::fetch_part(call->services.store, call->tenant, manifest->parts[index], size);
}

// The reply has started; what goes wrong from here on breaks it off.
Task<Result<void>> write_parts(Call* call, const store::BlobManifest* manifest, std::string first) {
  net::ReplySink& reply = call->exchange.reply;
  CARREL_CO_TRY_VOID(co_await reply.write(first));
  for (std::size_t i = 1; i < manifest->parts.size(); ++i) {
    CARREL_CO_TRY(const std::string part, co_await fetch(call, manifest, i));
    CARREL_CO_TRY_VOID(co_await reply.write(part));
  }
  co_return co_await reply.finish();
}

Task<Result<Answer>> get(Call* call) {
  CARREL_CO_TRY(Place place, place_of(*call, Thing::blob));
  Find step(call, std::move(place));
  CARREL_CO_TRY_VOID(co_await finish(call, &step));
  const store::BlobManifest& manifest = step.manifest;
  // In time: what nobody uses any more stays for a minute.
  std::vector<store::Parts::Pin> pins;
  pins.reserve(manifest.parts.size());
  for (const store::PartHash& hash : manifest.parts)
    pins.push_back(call->services.store->store().parts().pin(call->tenant, hash));
  const bool head_only = call->request().method == "HEAD";
  std::string first;
  if (manifest.size > 0 && !head_only) {
    CARREL_CO_TRY(first, co_await fetch(call, &manifest, 0));
  }
  net::ReplySink& reply = call->exchange.reply;
  CARREL_CO_TRY_VOID(co_await reply.start(head_of(200, "application/octet-stream"), manifest.size));
  const auto sent =
      head_only ? co_await reply.finish() : co_await write_parts(call, &manifest, std::move(first));
  if (!sent) reply.abort();
  co_return Answer();
}

// Up to a part's size; fewer bytes: that was the end.
Task<Result<std::string>> read_part(net::RequestBody* body) {
  std::string bytes(store::kPartBytes, '\0');
  std::size_t size = 0;
  while (size < bytes.size() && !body->finished()) {
    const std::size_t n = body->read(std::as_writable_bytes(std::span(bytes)).subspan(size));
    size += n;
    if (n > 0) continue;
    if (auto more = co_await body->wait(); !more)
      co_return std::unexpected(std::move(more).error());
  }
  bytes.resize(size);
  co_return bytes;
}

struct Put final : Look {
  using Look::Look;
  Task<Result<void>> act(store::Transaction* transaction) override {
    CARREL_CO_TRY(const store::Record* const there,
                  co_await transaction->read(place.store, place.name, store::Track::no));
    CARREL_CO_TRY_VOID(record_change(transaction, seen(there), {{"bytes", manifest.size}}));
    CARREL_CO_TRY_VOID(
        transaction->put(place.store, place.name, {.bytes = store::encode(manifest)}));
    answer = no_content();
    co_return transaction->set_weight(place.store, place.name, manifest.size);
  }
  store::BlobManifest manifest;
  std::vector<store::Parts::Pin> pins;  // until the commit
};

Result<void> check_size(const Call& call, std::uint64_t size) {
  if (size > kMaxBlob)
    return fail(Code::body_too_large, fmt::format("it is at most {} bytes long", kMaxBlob));
  if (size > call.storage())
    return fail(Code::quota_exceeded, "it is larger than what may be kept");
  return {};
}

Task<Result<void>> receive(Call* call, Put* step) {
  for (;;) {
    CARREL_CO_TRY(std::string bytes, co_await read_part(&call->exchange.body));
    if (bytes.empty()) co_return Result<void>();
    step->manifest.size += bytes.size();
    CARREL_CO_TRY_VOID(check_size(*call, step->manifest.size));
    CARREL_CO_TRY(auto part,
                  co_await store::keep_part(call->services.store, call->tenant, std::move(bytes)));
    step->manifest.parts.push_back(part.hash);
    step->pins.push_back(std::move(part.pin));
  }
}

Task<Result<Answer>> put(Call* call) {
  CARREL_CO_TRY(Place place, place_of(*call, Thing::blob));
  CARREL_CO_TRY_VOID(check_size(*call, call->request().content_length.value_or(0)));
  Look tenant_is_there(call, place);
  CARREL_CO_TRY_VOID(co_await finish(call, &tenant_is_there));
  Put step(call, std::move(place));
  CARREL_CO_TRY_VOID(co_await receive(call, &step));
  co_return co_await finish(call, &step);
}

struct Erase final : Look {
  using Look::Look;
  Task<Result<void>> act(store::Transaction* transaction) override {
    CARREL_CO_TRY(const store::Record* const record,
                  co_await transaction->read(place.store, place.name));
    if (record == nullptr) co_return fail(Code::not_found, "there is no blob of that name");
    CARREL_CO_TRY_VOID(record_change(transaction, seen(record), Json()));
    answer = no_content();
    co_return transaction->erase(place.store, place.name);
  }
};

Task<Result<Answer>> erase(Call* call) {
  CARREL_CO_TRY(Place place, place_of(*call, Thing::blob));
  Erase step(call, std::move(place));
  co_return co_await finish(call, &step);
}

struct List final : Look {
  using Look::Look;
  Task<Result<void>> act(store::Transaction* transaction) override {
    Json entries = Json::array();
    CARREL_CO_TRY(
        const store::NamePage found,
        co_await transaction->read_names(place.store, query.prefix, query.after, query.limit));
    for (const auto& entry : found.entries) {
      CARREL_CO_TRY(const store::Record* const record,
                    co_await transaction->read(place.store, entry.name));
      if (record == nullptr) continue;
      Json json = {{"bytes", capability::blob::size_of(record->bytes)}};
      add_name(json, entry.name);
      entries.push_back(std::move(json));
    }
    Json json = {{"blobs", std::move(entries)}};
    if (!found.end && !found.entries.empty())
      json["next"] = percent_encode(found.entries.back().name);
    answer = json_answer(json);
    co_return Result<void>();
  }
  ListQuery query;
};

Task<Result<Answer>> list(Call* call) {
  CARREL_CO_TRY(Place place, place_of(*call, Thing::blobs));
  List step(call, std::move(place));
  CARREL_CO_TRY(step.query, read_list_query(call->request().query));
  if (step.query.watch) co_return fail(Code::invalid_argument, "only values are watched");
  co_return co_await finish(call, &step);
}

}  // namespace

std::span<const Operation> blob_operations() {
  static constexpr auto kOperations = std::to_array<Operation>({
      {"blobs", "GET", "/v1/tenants/{tenant}/blobs/{store}", list},
      {"putBlob", "PUT", "/v1/tenants/{tenant}/blobs/{store}/{key...}", put},
      {"blob", "GET", "/v1/tenants/{tenant}/blobs/{store}/{key...}", get},
      {"deleteBlob", "DELETE", "/v1/tenants/{tenant}/blobs/{store}/{key...}", erase},
  });
  return kOperations;
}

}  // namespace carrel::api
