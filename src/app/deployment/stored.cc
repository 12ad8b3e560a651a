#include "app/deployment/stored.h"

#include "store/key.h"
#include "store/record.h"

namespace carrel::deployment {
namespace {

using store::Kind;
using State = store::Cursor::State;

class StoredReader {
 public:
  explicit StoredReader(const std::shared_ptr<const store::DatabaseView>& view)
      : view_(view), tenants_(view, "", store::Reach::disk) {}

  // Jumps from tenant to tenant, over what each keeps besides.
  Result<StoredApps> read() {
    State state =
        tenants_.seek(std::string_view(reinterpret_cast<const char*>(&store::kKeyFormat), 1));
    while (state == State::valid) {
      const auto key = store::decode(tenants_.key());
      if (!key) {
        ++stored_.damaged;
        state = tenants_.next();
        continue;
      }
      const std::string tenant(key->tenant);
      CARREL_TRY_VOID(read_tenant(tenant));
      state = tenants_.seek(store::end_of(store::prefix_of(tenant)));
    }
    if (state == State::failed) return std::unexpected(tenants_.error());
    return std::move(stored_);
  }

 private:
  Result<void> read_tenant(const std::string& tenant) {
    const std::string prefix = store::prefix_of(tenant, Kind::app);
    store::Cursor apps(view_, store::end_of(prefix), store::Reach::disk);
    for (State at = apps.seek(prefix); at == State::valid; at = apps.next()) {
      const auto key = store::decode(apps.key());
      const auto record = store::view_record(apps.value());
      auto app = record ? decode_app(record->bytes) : Result<AppRecord>(fail(Code::data_corrupt));
      if (!key || !app) {
        ++stored_.damaged;
        continue;
      }
      StoredApp found{
          .scope = {.tenant = TenantName(tenant), .app = AppName(std::string(key->name))},
          .record = std::move(*app)};
      CARREL_TRY_VOID(read_versions(found));
      stored_.apps.push_back(std::move(found));
    }
    if (apps.state() == State::failed) return std::unexpected(apps.error());
    return {};
  }

  Result<void> read_versions(StoredApp& app) {
    const std::string prefix =
        store::prefix_of(app.scope.tenant.str(), Kind::version, app.scope.app.str());
    store::Cursor versions(view_, store::end_of(prefix), store::Reach::disk);
    for (State at = versions.seek(prefix); at == State::valid; at = versions.next()) {
      const auto key = store::decode(versions.key());
      const auto record = store::view_record(versions.value());
      auto version = key && record ? decode_version(key->name, record->bytes)
                                   : Result<Version>(fail(Code::data_corrupt));
      if (version) {
        app.versions.push_back(std::move(*version));
      } else {
        ++stored_.damaged;
      }
    }
    if (versions.state() == State::failed) return std::unexpected(versions.error());
    return {};
  }

  const std::shared_ptr<const store::DatabaseView>& view_;
  store::Cursor tenants_;
  StoredApps stored_;
};

}  // namespace

Result<StoredApps> read_stored(const std::shared_ptr<const store::DatabaseView>& view) {
  return StoredReader(view).read();
}

}  // namespace carrel::deployment
