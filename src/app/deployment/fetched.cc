#include "app/deployment/fetched.h"

#include <fmt/format.h>

#include <algorithm>

#include "app/oci/reference.h"
#include "app/toml.h"
#include "app/units.h"
#include "base/digest.h"

namespace carrel::deployment {
namespace {

using async::Task;

constexpr std::size_t kMostFetched = 64;
constexpr std::uint64_t kMostManifest = 1ULL << 20;  // a longer one is refused by who reads it

struct Wanted {
  std::string module, reference;
};

std::string path_of(std::string_view module) {
  return fmt::format("{}/modules/{}.wasm", kOwnFolder, module);
}

// The strict reader cannot be asked yet: it wants the files that are to be fetched.
std::vector<Wanted> read_wanted(const app::TomlValue& root) {
  std::vector<Wanted> wanted;
  const app::TomlValue* modules = root.find("module");
  if (modules == nullptr) return wanted;
  for (const app::TomlEntry& entry : modules->entries) {
    const app::TomlValue* source = entry.value.find("source");
    if (source == nullptr || source->kind != app::TomlValue::Kind::text) continue;
    if (source->text.starts_with(oci::kScheme) && app::is_name(entry.key))
      wanted.push_back({.module = entry.key, .reference = source->text});
  }
  return wanted;
}

Task<Result<std::vector<Wanted>>> find_wanted(store::ShardStore* store, const TenantName* tenant,
                                              const Bundle* bundle) {
  struct Reading {
    TenantName tenant;
    std::vector<store::PartHash> parts;
    std::vector<Wanted> wanted;
    Result<void> done = {};
  };
  const BundleFile* file = bundle->find(kManifestName);
  if (file == nullptr || file->size > kMostManifest) co_return std::vector<Wanted>();
  auto reading = std::make_shared<Reading>(*tenant, file->parts);
  auto& all = store->store();
  co_await all.io().run(store->shard(), [reading, &parts = all.parts()] {
    std::string text;
    for (const auto& hash : reading->parts) {
      auto bytes = parts.read(reading->tenant, hash);
      if (!bytes) {
        reading->done = std::unexpected(std::move(bytes).error());
        return;
      }
      text += *bytes;
    }
    if (const auto root = app::parse_toml(text, std::string(kManifestName)))
      reading->wanted = read_wanted(*root);
  });
  if (!reading->done) co_return std::unexpected(std::move(reading->done).error());
  co_return std::move(reading->wanted);
}

Task<Result<BundleFile>> keep(store::ShardStore* store, const TenantName* tenant, std::string path,
                              app::FetchedModule module, std::vector<store::Parts::Pin>* pins) {
  BundleFile file{.path = std::move(path), .size = module.bytes.size()};
  CARREL_CO_TRY(file.digest, read_hash(module.digest));
  for (std::size_t at = 0; at < module.bytes.size(); at += store::kPartBytes) {
    CARREL_CO_TRY(auto kept, co_await store::keep_part(store, *tenant,
                                                       module.bytes.substr(at, store::kPartBytes)));
    file.parts.push_back(kept.hash);
    pins->push_back(std::move(kept.pin));
  }
  co_return file;
}

// A registry's faults are the manifest's: it is what can be changed about them.
class Refusals {
 public:
  void add(std::string_view module, const Error& error) {
    if (error.code() == Code::not_signed) code_ = Code::not_signed;
    lines_ += fmt::format("\n  module \"{}\": {}", module, error.message());
    if (!error.help().empty()) lines_ += fmt::format("\n    help   {}", error.help());
    ++count_;
  }
  Result<void> result() const {
    if (count_ == 0) return {};
    return fail(code_, fmt::format("{} {} cannot be had{}", count_,
                                   count_ == 1 ? "module" : "modules", lines_));
  }

 private:
  Code code_ = Code::invalid_config;
  std::string lines_;
  std::size_t count_ = 0;
};

// What went wrong on this node, and not with a registry.
bool is_ours(Code code) {
  return code == Code::io || code == Code::store_full || code == Code::unavailable ||
         code == Code::internal || code == Code::shutting_down;
}

}  // namespace

Task<Result<void>> fetch_modules(store::ShardStore* store, app::ModuleSource* source,
                                 const TenantName* tenant, Version* version,
                                 std::vector<store::Parts::Pin>* pins) {
  CARREL_CO_TRY(const auto wanted, co_await find_wanted(store, tenant, &version->bundle));
  if (wanted.empty()) co_return Result<void>();
  if (source == nullptr)
    co_return fail(Code::unavailable, "modules of registries cannot be fetched here");
  if (wanted.size() > kMostFetched) {
    co_return fail(Code::invalid_config, fmt::format("{} modules come from registries; {} may",
                                                     wanted.size(), kMostFetched));
  }
  Refusals refusals;
  std::uint64_t room = kMaxBundle - version->bundle.bytes();
  for (const Wanted& each : wanted) {
    auto fetched =
        co_await source->fetch(store->shard(), *tenant, each.reference, std::min(room, kMaxFile));
    if (!fetched) {
      if (is_ours(fetched.error().code())) co_return std::unexpected(std::move(fetched).error());
      refusals.add(each.module, fetched.error());
      continue;
    }
    room -= fetched->bytes.size();
    version->sources[each.module] = fetched->pinned;
    CARREL_CO_TRY(auto file,
                  co_await keep(store, tenant, path_of(each.module), std::move(*fetched), pins));
    version->bundle.files.push_back(std::move(file));
  }
  CARREL_CO_TRY_VOID(refusals.result());
  co_return settle(version->bundle);
}

Result<void> use_fetched(app::Manifest& manifest) {
  for (app::Module& module : manifest.modules) {
    if (!module.image) continue;
    module.source = manifest.folder / path_of(module.name.str());
    std::error_code error;
    if (std::filesystem::is_regular_file(module.source, error)) continue;
    return fail(Code::invalid_config,
                fmt::format("module \"{}\" was not fetched from its registry", module.name.str()));
  }
  return {};
}

}  // namespace carrel::deployment
