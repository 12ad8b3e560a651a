#include "capability/secret/secret.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "capability/secret/secret_file.h"
#include "capability/state/look.h"
#include "capability/state/store_errno.h"
#include "store/sealer.h"
#include "turn/state.h"
#include "wasi/names.h"

namespace carrel::capability::secret {
namespace {

using wasi::Errno;
using wasi::Io;

const store::Place& place() {
  static const auto* const place = new store::Place{store::Kind::secret, ""};  // for ever
  return *place;
}

// The granted secrets of a turn, by name.
class Secrets {
 public:
  explicit Secrets(turn::Turn& turn) : turn_(turn), granted_(turn.module.grants.secrets) {
    std::ranges::sort(granted_);
    granted_.erase(std::ranges::unique(granted_).begin(), granted_.end());
  }

  const std::vector<std::string>& granted() const { return granted_; }

  // The name that a path stands for. Errors: ENOENT, ENOTDIR.
  Io<std::string> name_of(std::string_view path) const {
    const std::size_t slash = path.find('/');
    const auto name = wasi::decode_name(path.substr(0, slash));
    if (!name || !std::ranges::binary_search(granted_, *name)) return wasi::fail(Errno::noent);
    if (slash != path.npos) return wasi::fail(Errno::notdir);
    return *name;
  }

  // The sealed bytes; null: it has not been set.
  Io<const store::Record*> find(wasi::IoContext& io, const std::string& name) const {
    return state::look(io, turn_.state->transaction, place(), name, store::Track::no);
  }

  // A secret that is told. Errors: EIO, EACCES.
  Io<SecretBytes> tell(const std::string& name, const store::Record& record) const {
    const store::Sealer* const sealer = turn_.state->services.sealer;
    if (sealer == nullptr) return wasi::fail(Errno::io);
    auto text = sealer->open(turn_.module.tenant, name, record.bytes);
    if (!text) return wasi::fail(state::errno_of(text.error()));
    auto& told = turn_.state->told_secrets;
    if (std::ranges::find(told, text->view(), &SecretBytes::view) == told.end())
      told.emplace_back(text->view());
    return std::move(*text);
  }

 private:
  turn::Turn& turn_;
  std::vector<std::string> granted_;
};

std::uint64_t size_of(const store::Record& record) {
  return record.bytes.size() - std::min(record.bytes.size(), store::Sealer::kOverhead);
}

wasi::FileStat folder_stat() { return {.inode = 1, .type = wasi::FileType::folder}; }

wasi::FileStat file_stat(std::size_t number, std::uint64_t size) {
  return {.inode = 2 + number, .type = wasi::FileType::regular, .size = size};
}

class SecretFolder final : public wasi::OpenFile {
 public:
  explicit SecretFolder(const Secrets& secrets) : secrets_(secrets) {}
  Io<wasi::FileStat> stat(wasi::IoContext&) override { return folder_stat(); }

  Io<std::vector<wasi::DirEntry>> list(wasi::IoContext& io, std::uint64_t cookie,
                                       std::size_t max) override {
    std::vector<wasi::DirEntry> entries;
    const auto& names = secrets_.granted();
    for (std::uint64_t at = cookie; at < names.size() && entries.size() < max; ++at) {
      const auto record = secrets_.find(io, names[at]);
      if (!record) return wasi::fail(record.error());
      if (*record == nullptr) continue;
      entries.push_back({.next = at + 1,
                         .inode = 2 + at,
                         .type = wasi::FileType::regular,
                         .name = wasi::encode_name(names[at])});
    }
    return entries;
  }

 private:
  const Secrets& secrets_;
};

class SecretNode final : public wasi::Node {
 public:
  explicit SecretNode(turn::Turn& turn) : secrets_(turn) {}

  Io<std::unique_ptr<wasi::OpenFile>> open(wasi::IoContext& io, std::string_view path,
                                           const wasi::OpenHow& how) override {
    if (path.empty()) {
      if (how.write) return wasi::fail(Errno::isdir);
      return std::make_unique<SecretFolder>(secrets_);
    }
    const auto name = secrets_.name_of(path);
    if (!name)
      return wasi::fail(how.create && name.error() == Errno::noent ? Errno::rofs : name.error());
    const auto record = secrets_.find(io, *name);
    if (!record) return wasi::fail(record.error());
    if (*record == nullptr) return wasi::fail(how.create ? Errno::rofs : Errno::noent);
    if (how.create && how.exclusive) return wasi::fail(Errno::exist);
    if (how.folder) return wasi::fail(Errno::notdir);
    if (how.write || how.truncate) return wasi::fail(Errno::rofs);
    auto text = secrets_.tell(*name, **record);
    if (!text) return wasi::fail(text.error());
    return std::make_unique<SecretFile>(std::move(*text),
                                        file_stat(number(*name), size_of(**record)));
  }

  Io<wasi::FileStat> stat(wasi::IoContext& io, std::string_view path, bool) override {
    if (path.empty()) return folder_stat();
    const auto name = secrets_.name_of(path);
    if (!name) return wasi::fail(name.error());
    const auto record = secrets_.find(io, *name);
    if (!record) return wasi::fail(record.error());
    if (*record == nullptr) return wasi::fail(Errno::noent);
    return file_stat(number(*name), size_of(**record));
  }

 private:
  std::size_t number(const std::string& name) const {
    const auto& names = secrets_.granted();
    return static_cast<std::size_t>(std::ranges::lower_bound(names, name) - names.begin());
  }

  Secrets secrets_;
};

}  // namespace

std::shared_ptr<wasi::Node> mount(turn::Turn& turn) {
  if (turn.state == nullptr || turn.module.grants.secrets.empty()) return nullptr;
  return std::make_shared<SecretNode>(turn);
}

}  // namespace carrel::capability::secret
