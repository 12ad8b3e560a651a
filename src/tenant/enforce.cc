#include "tenant/enforce.h"

namespace carrel::tenant {

void enforce(store::Store& store, Allowances* allowances, const Tenant& tenant) {
  store.limit_storage(tenant.name, tenant.quotas.storage_bytes);
  if (allowances != nullptr) allowances->set(tenant.name.str(), tenant.quotas);
}

}  // namespace carrel::tenant
