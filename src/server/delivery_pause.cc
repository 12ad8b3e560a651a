#include "server/delivery_pause.h"

#include "store/paused.h"

namespace carrel::server {

DeliveryPause::DeliveryPause(std::filesystem::path folder, delivery::Ring& ring)
    : folder_(std::move(folder)), ring_(ring) {
  if (store::is_paused(folder_)) ring_.set_paused();
}

// The mark first: whoever is told that it is paused finds it paused after a crash as well.
Result<void> DeliveryPause::pause() {
  CARREL_TRY_VOID(store::mark_paused(folder_));
  ring_.pause();
  return {};
}

Result<void> DeliveryPause::resume() {
  CARREL_TRY_VOID(store::end_pause(folder_));
  ring_.resume();
  return {};
}

}  // namespace carrel::server
