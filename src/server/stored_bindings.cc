#include "server/stored_bindings.h"

#include "store/key.h"
#include "store/record.h"

namespace carrel::server {
namespace {

using State = store::Cursor::State;

Result<void> read_tenant(const std::shared_ptr<const store::DatabaseView>& view,
                         const std::string& tenant, StoredBindings& stored) {
  const std::string prefix = store::prefix_of(tenant, store::Kind::binding);
  store::Cursor bindings(view, store::end_of(prefix), store::Reach::disk);
  for (State at = bindings.seek(prefix); at == State::valid; at = bindings.next()) {
    const auto key = store::decode(bindings.key());
    const auto record = store::view_record(bindings.value());
    auto binding = key && record ? hook::decode_binding(record->bytes, TenantName(tenant))
                                 : Result<hook::BindingRecord>(fail(Code::data_corrupt));
    if (binding) {
      stored.all.push_back({TenantName(tenant), std::string(key->name), std::move(*binding)});
    } else {
      ++stored.damaged;
    }
  }
  if (bindings.state() == State::failed) return std::unexpected(bindings.error());
  return {};
}

}  // namespace

// Jumps from tenant to tenant, over what each keeps besides.
Result<StoredBindings> read_bindings(const std::shared_ptr<const store::DatabaseView>& view) {
  StoredBindings stored;
  store::Cursor tenants(view, "", store::Reach::disk);
  State state =
      tenants.seek(std::string_view(reinterpret_cast<const char*>(&store::kKeyFormat), 1));
  while (state == State::valid) {
    const auto key = store::decode(tenants.key());
    if (!key) {
      state = tenants.next();
      continue;
    }
    const std::string tenant(key->tenant);
    CARREL_TRY_VOID(read_tenant(view, tenant, stored));
    state = tenants.seek(store::end_of(store::prefix_of(tenant)));
  }
  if (state == State::failed) return std::unexpected(tenants.error());
  return stored;
}

}  // namespace carrel::server
