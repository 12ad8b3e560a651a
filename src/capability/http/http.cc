#include "capability/http/http.h"

#include <utility>

#include "capability/http/call_file.h"
#include "turn/state.h"

namespace carrel::capability::http {
namespace {

using wasi::Errno;
using wasi::Io;

constexpr std::string_view kName = "new";
constexpr unsigned kMostCalls = 64;  // a turn

wasi::FileStat folder_stat() { return {.inode = 1, .type = wasi::FileType::folder}; }

class HttpFolder final : public wasi::OpenFile {
 public:
  Io<wasi::FileStat> stat(wasi::IoContext&) override { return folder_stat(); }
  Io<std::vector<wasi::DirEntry>> list(wasi::IoContext&, std::uint64_t cookie,
                                       std::size_t max) override {
    std::vector<wasi::DirEntry> entries;
    if (cookie == 0 && max > 0) {
      entries.push_back({.next = 1,
                         .inode = call_stat().inode,
                         .type = call_stat().type,
                         .name = std::string(kName)});
    }
    return entries;
  }
};

class HttpNode final : public wasi::Node {
 public:
  explicit HttpNode(turn::Turn& turn) : turn_(turn) {}

  Io<std::unique_ptr<wasi::OpenFile>> open(wasi::IoContext&, std::string_view path,
                                           const wasi::OpenHow& how) override {
    if (path.empty()) {
      if (how.write) return wasi::fail(Errno::isdir);
      return std::make_unique<HttpFolder>();
    }
    if (const Errno error = look_up(path); error != Errno::success) {
      return wasi::fail(how.create && error == Errno::noent ? Errno::acces : error);
    }
    if (how.folder) return wasi::fail(Errno::notdir);
    if (how.create && how.exclusive) return wasi::fail(Errno::exist);
    if (!how.read || !how.write) return wasi::fail(Errno::inval);  // half a call is none
    if (opened_ == kMostCalls) return wasi::fail(Errno::dquot);
    ++opened_;
    return std::make_unique<CallFile>(turn_);
  }

  Io<wasi::FileStat> stat(wasi::IoContext&, std::string_view path, bool) override {
    if (path.empty()) return folder_stat();
    if (const Errno error = look_up(path); error != Errno::success) return wasi::fail(error);
    return call_stat();
  }

 private:
  static Errno look_up(std::string_view path) {
    if (path == kName) return Errno::success;
    return path.substr(0, path.find('/')) == kName ? Errno::notdir : Errno::noent;
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
