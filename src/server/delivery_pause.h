// Whether the node delivers: said by a mark in its store's folder, so that it outlives the process.
#pragma once

#include <filesystem>

#include "api/events.h"

namespace carrel::server {

// Owner: the composition root. Thread-safe.
class DeliveryPause final : public api::DeliverySwitch {
 public:
  // Before the shards start: a restored store begins paused.
  DeliveryPause(std::filesystem::path folder, delivery::Ring& ring);

  bool paused() const override { return ring_.paused(); }
  Result<void> pause() override;
  Result<void> resume() override;

 private:
  const std::filesystem::path folder_;
  delivery::Ring& ring_;
};

}  // namespace carrel::server
