#include "capability/application/application.h"

#include <string>
#include <utility>
#include <vector>

#include "capability/application/call_file.h"
#include "turn/functions.h"
#include "wasi/device_folder.h"

namespace carrel::capability::application {
namespace {

using wasi::Errno;

class Application final : public wasi::DeviceFolder {
 public:
  explicit Application(turn::Turn& turn) : turn_(turn), functions_(*turn.module.functions) {}

 private:
  Errno look_up(std::string_view path) const override {
    return functions_.find(path) ? Errno::success : Errno::noent;
  }
  std::vector<std::string> names() const override { return functions_.names(); }
  wasi::Io<std::unique_ptr<wasi::OpenFile>> open_device(std::string_view path) override {
    auto function = functions_.find(path);
    if (!function) return wasi::fail(Errno::noent);
    return std::make_unique<CallFile>(turn_, std::string(path), std::move(function));
  }

  turn::Turn& turn_;
  const turn::Functions& functions_;
};

}  // namespace

std::shared_ptr<wasi::Node> mount(turn::Turn& turn) {
  if (turn.module.functions == nullptr) return nullptr;
  return std::make_shared<Application>(turn);
}

}  // namespace carrel::capability::application
