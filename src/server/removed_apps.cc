#include "server/removed_apps.h"

#include "app/deployment/desk.h"

namespace carrel::server {

async::Task<void> erase_removed(turn::Services services, deployment::Scope scope, WallTime now,
                                std::function<void()> forget) {
  store::Transaction transaction(*services.store, scope.tenant, {});
  const auto app = co_await deployment::find_app(&transaction, scope.app);
  if (!app || !*app || !(*app)->removed || *(*app)->removed > now) co_return;
  const auto erased = co_await deployment::erase_app(&transaction, scope.app);
  if (!erased) co_return;
  forget();  // before: whoever makes it anew is not to be taken for older than this one
  (void)co_await transaction.commit();
}

}  // namespace carrel::server
