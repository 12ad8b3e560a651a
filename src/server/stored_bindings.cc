#include "server/stored_bindings.h"

#include "store/key.h"
#include "store/record.h"

namespace carrel::server {
namespace {

using State = store::Cursor::State;

// A damaged block hides what is behind it, and keeps nobody from the rest.
Result<void> pass_over(const store::Cursor& cursor, StoredBindings& stored) {
  if (cursor.state() != State::failed) return {};
  if (cursor.error().code() != Code::data_corrupt) return std::unexpected(cursor.error());
  ++stored.damaged;
  return {};
}

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
  return pass_over(bindings, stored);
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
  CARREL_TRY_VOID(pass_over(tenants, stored));
  return stored;
}

}  // namespace carrel::server
