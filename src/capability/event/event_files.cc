#include "capability/event/event_files.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "tenant/meter.h"
#include "wasi/read_only_tree.h"

namespace carrel::capability::event {
namespace {

using wasi::Errno;
using wasi::Io;

constexpr std::size_t kMostAtOnce = 256 << 10;  // so that a host call is short

async::Task<void> get_more(turn::Turn* turn) {
  auto moved = co_await turn->event.body->wait();
  if (!moved) turn->body_failure = std::move(moved).error();
}

// While somebody waits: the body's connection has other uses for itself.
class Waits {
 public:
  explicit Waits(std::shared_ptr<turn::BodyWait> more) : more_(std::move(more)) {
    ++more_->waiting;
  }
  Waits(const Waits&) = delete;
  Waits& operator=(const Waits&) = delete;
  ~Waits() {
    if (--more_->waiting == 0 && more_->task.running()) more_->task.put_away();
  }

 private:
  std::shared_ptr<turn::BodyWait> more_;
};

async::Task<void> until_more(turn::Turn* turn, std::shared_ptr<turn::BodyWait> more) {
  const Waits waits(more);
  if (!more->task.running()) more->task.begin(get_more(turn));
  co_await async::SharedTask::end_of(&more->task);
}

class BodyFile final : public wasi::OpenFile {
 public:
  explicit BodyFile(turn::Turn& turn) : turn_(turn) {}

  Io<wasi::FileStat> stat(wasi::IoContext&) override { return wasi::FileStat{}; }

  Io<std::size_t> read(wasi::IoContext& io, wasi::Buffers into) override {
    async::ByteSource* body = turn_.event.body;
    if (body == nullptr) return 0;
    std::size_t taken = 0;
    for (const auto& buffer : into) {
      const auto room = buffer.first(std::min(buffer.size(), kMostAtOnce - taken));
      const std::size_t n = body->read(room);
      taken += n;
      if (n < buffer.size()) break;
    }
    if (turn_.use != nullptr) turn_.use->received(taken);
    if (taken > 0 || body->finished()) return taken;
    return wait(io);
  }

  Io<std::uint64_t> readable(wasi::IoContext& io) override {
    if (turn_.event.body == nullptr || turn_.event.body->finished()) return 0;
    if (turn_.event.body->ready()) return 1;
    return wait(io);
  }

 private:
  std::unexpected<Errno> wait(wasi::IoContext& io) {
    if (turn_.body_failure) return wasi::fail(Errno::io);
    if (!turn_.body_wait) turn_.body_wait = std::make_shared<turn::BodyWait>();
    io.wait_for(until_more(&turn_, turn_.body_wait));
    return wasi::fail(Errno::again);
  }

  turn::Turn& turn_;
};

// What attributes.json says.
std::string attributes_of(const turn::Turn& turn) {
  const turn::Event& event = turn.event;
  nlohmann::ordered_json json = {
      {"id", event.id.empty() ? fmt::format("{:016x}", turn.id) : std::string(event.id)},
      {"source", event.source},
      {"type", event.type},
      {"subject", event.subject},
      {"time", fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                           fmt::gmtime(std::chrono::system_clock::to_time_t(event.time)))}};
  for (const auto& [name, value] : event.attributes) json[name] = value;
  if (event.request != nullptr) {
    json["method"] = event.request->method;
    json["path"] = event.request->path;
    json["query"] = event.request->query;
    json["route"] = event.target->route;
    json["parameters"] = nlohmann::ordered_json::object();
    for (const auto& [name, value] : event.target->parameters)
      json["parameters"][std::string(name)] = value;
  }
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

class EventFiles final : public wasi::Node {
 public:
  explicit EventFiles(turn::Turn& turn) : turn_(turn) {}

  Io<std::unique_ptr<wasi::OpenFile>> open(wasi::IoContext& io, std::string_view path,
                                           const wasi::OpenHow& how) override {
    const bool changes = how.create || how.write || how.truncate;
    if (path == "body" && !changes && !how.folder) return open_body(turn_);
    return files()->open(io, path, how);
  }
  Io<wasi::FileStat> stat(wasi::IoContext& io, std::string_view path, bool follow) override {
    return files()->stat(io, path, follow);
  }

 private:
  // Made when it is first looked at, which most turns never do.
  const std::shared_ptr<wasi::Node>& files() {
    if (!files_) {
      wasi::ReadOnlyTree::Builder builder;
      (void)builder.add("attributes.json",
                        std::make_shared<const std::string>(attributes_of(turn_)));
      if (!turn_.event.identity.empty()) {
        (void)builder.add("identity.json",
                          std::make_shared<const std::string>(turn_.event.identity));
      }
      (void)builder.add("body", std::make_shared<const std::string>());
      files_ = std::move(builder).build();
    }
    return files_;
  }

  turn::Turn& turn_;
  std::shared_ptr<wasi::Node> files_;
};

}  // namespace

std::shared_ptr<wasi::Node> event_files(turn::Turn& turn) {
  return std::make_shared<EventFiles>(turn);
}

std::unique_ptr<wasi::OpenFile> open_body(turn::Turn& turn) {
  return std::make_unique<BodyFile>(turn);
}

}  // namespace carrel::capability::event
