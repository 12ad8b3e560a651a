#include "capability/application/application.h"

#include <string>
#include <utility>
#include <vector>

#include "capability/application/call_file.h"
#include "turn/functions.h"

namespace carrel::capability::application {
namespace {

using wasi::Errno;
using wasi::Io;

wasi::FileStat folder_stat() { return {.inode = 1, .type = wasi::FileType::folder}; }

class Folder final : public wasi::OpenFile {
 public:
  explicit Folder(std::vector<std::string> names) : names_(std::move(names)) {}
  Io<wasi::FileStat> stat(wasi::IoContext&) override { return folder_stat(); }
  Io<std::vector<wasi::DirEntry>> list(wasi::IoContext&, std::uint64_t cookie,
                                       std::size_t max) override {
    std::vector<wasi::DirEntry> entries;
    for (std::size_t i = cookie; i < names_.size() && entries.size() < max; ++i) {
      entries.push_back(
          {.next = i + 1, .inode = call_stat().inode, .type = call_stat().type, .name = names_[i]});
    }
    return entries;
  }

 private:
  std::vector<std::string> names_;
};

class Application final : public wasi::Node {
 public:
  explicit Application(turn::Turn& turn) : turn_(turn), functions_(*turn.module.functions) {}

  Io<std::unique_ptr<wasi::OpenFile>> open(wasi::IoContext&, std::string_view path,
                                           const wasi::OpenHow& how) override {
    if (path.empty()) {
      if (how.write) return wasi::fail(Errno::isdir);
      return std::make_unique<Folder>(functions_.names());
    }
    auto function = functions_.find(path);
    if (!function) return wasi::fail(how.create ? Errno::acces : Errno::noent);
    if (how.folder) return wasi::fail(Errno::notdir);
    if (how.create && how.exclusive) return wasi::fail(Errno::exist);
    if (!how.read || !how.write) return wasi::fail(Errno::inval);  // half a call is none
    return std::make_unique<CallFile>(turn_, std::string(path), std::move(function));
  }

  Io<wasi::FileStat> stat(wasi::IoContext&, std::string_view path, bool) override {
    if (path.empty()) return folder_stat();
    if (!functions_.find(path)) return wasi::fail(Errno::noent);
    return call_stat();
  }

 private:
  turn::Turn& turn_;
  const turn::Functions& functions_;
};

}  // namespace

std::shared_ptr<wasi::Node> mount(turn::Turn& turn) {
  if (turn.module.functions == nullptr) return nullptr;
  return std::make_shared<Application>(turn);
}

}  // namespace carrel::capability::application
