#include "capability/http/http.h"

#include <string>
#include <vector>

#include "capability/http/call_file.h"
#include "turn/state.h"
#include "wasi/device_folder.h"

namespace carrel::capability::http {
namespace {

using wasi::Errno;

constexpr std::string_view kName = "new";
constexpr unsigned kMostCalls = 64;  // a turn

class HttpNode final : public wasi::DeviceFolder {
 public:
  explicit HttpNode(turn::Turn& turn) : turn_(turn) {}

 private:
  Errno look_up(std::string_view path) const override {
    if (path == kName) return Errno::success;
    return path.substr(0, path.find('/')) == kName ? Errno::notdir : Errno::noent;
  }
  std::vector<std::string> names() const override { return {std::string(kName)}; }
  wasi::Io<std::unique_ptr<wasi::OpenFile>> open_device(std::string_view) override {
    if (opened_ == kMostCalls) return wasi::fail(Errno::dquot);
    ++opened_;
    return std::make_unique<CallFile>(turn_);
  }

  turn::Turn& turn_;
  unsigned opened_ = 0;
};

}  // namespace

std::shared_ptr<wasi::Node> mount(turn::Turn& turn) {
  if (turn.state == nullptr || turn.module.grants.http.empty()) return nullptr;
  return std::make_shared<HttpNode>(turn);
}

}  // namespace carrel::capability::http
