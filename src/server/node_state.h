// What the API shows of this server, kept by the thread that runs it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>

#include "api/node.h"

namespace carrel::server {

// Owner: the composition root; outlives the API. Thread-safe.
class NodeState final : public api::Node {
 public:
  std::shared_ptr<const api::NodeInfo> info() const override {
    const std::lock_guard lock(mutex_);
    return info_;
  }
  api::Readiness readiness() const override { return readiness_.load(); }
  const api::DeployedIndex* deployed() const override { return deployed_; }
  api::LogTail* log_tail() const override { return log_tail_; }
  std::string metrics() const override { return metrics_ ? metrics_() : std::string(); }

  // Before the API serves; they outlive this.
  void set(api::LogTail* tail) { log_tail_ = tail; }
  void set(const api::DeployedIndex* deployed) { deployed_ = deployed; }
  void set(std::function<std::string()> metrics) { metrics_ = std::move(metrics); }

  void set(api::NodeInfo info) {
    auto made = std::make_shared<const api::NodeInfo>(std::move(info));
    const std::lock_guard lock(mutex_);
    info_ = std::move(made);
  }
  void set(api::Readiness readiness) { readiness_.store(readiness); }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const api::NodeInfo> info_ = std::make_shared<const api::NodeInfo>();
  api::LogTail* log_tail_ = nullptr;
  const api::DeployedIndex* deployed_ = nullptr;
  std::function<std::string()> metrics_;
  std::atomic<api::Readiness> readiness_ = api::Readiness::starting;
};

}  // namespace carrel::server
