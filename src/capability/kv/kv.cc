#include "capability/kv/kv.h"

#include "capability/kv/value_file.h"
#include "capability/state/store_errno.h"
#include "capability/state/store_tree.h"
#include "turn/state.h"

namespace carrel::capability::kv {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;

class KvTree final : public state::StoreTree {
 public:
  KvTree(store::Transaction& transaction, const std::vector<turn::StoreGrant>& grants)
      : StoreTree(transaction, store::Kind::value, grants) {}

  Io<void> rename(wasi::IoContext& io, std::string_view from, std::string_view to) override {
    auto source = spot(from, Need::write);
    if (!source) return fail(source.error() == Errno::isdir ? Errno::notsup : source.error());
    if (!source->grant->read) return fail(Errno::acces);
    auto target = spot(to, Need::write);
    if (!target) return fail(target.error());
    auto there = look(io, *source, store::Track::yes);
    if (!there) return fail(there.error());
    if (*there == nullptr) {
      const auto folder = is_folder(io, *source);
      if (!folder) return fail(folder.error());
      return fail(*folder ? Errno::notsup : Errno::noent);
    }
    if (source->place.store == target->place.store && source->name == target->name) return {};
    store::Record record = **there;
    const auto replaced = look(io, *target, store::Track::no);
    if (!replaced) return fail(replaced.error());
    if (auto put = transaction().put(target->place, target->name, std::move(record)); !put) {
      return fail(state::errno_of(put.error()));
    }
    if (auto erased = transaction().erase(source->place, source->name); !erased) {
      return fail(state::errno_of(erased.error()));
    }
    return {};
  }

  Io<void> set_times(wasi::IoContext& io, std::string_view path, wasi::SetTimes times,
                     bool) override {
    auto at = spot(path, Need::write);
    if (!at) return fail(at.error() == Errno::isdir ? Errno::notsup : at.error());
    const auto there = look(io, *at, store::Track::yes);
    if (!there) return fail(there.error());
    if (*there == nullptr) return fail(Errno::noent);
    return set_expiry(io, transaction(), at->place, at->name, times);
  }

 private:
  Io<std::unique_ptr<wasi::OpenFile>> open_file(const Spot& spot, const store::Record* there,
                                                const wasi::OpenHow& how) override {
    if (there == nullptr || how.truncate) {
      if (auto put = transaction().put(spot.place, spot.name, {}); !put) {
        return fail(state::errno_of(put.error()));
      }
    }
    return std::make_unique<ValueFile>(transaction(), spot.place, spot.name, how);
  }
  wasi::FileStat stat_file(const store::Record& record) const override { return stat_of(record); }
  store::Track track_of(const wasi::OpenHow& how) const override {
    const bool blind = how.truncate && !how.read && !how.exclusive;
    return blind ? store::Track::no : store::Track::yes;
  }
};

}  // namespace

std::shared_ptr<wasi::Node> mount(turn::Turn& turn) {
  const auto& grants = turn.module.grants.kv;
  if (grants.empty() || turn.state == nullptr) return nullptr;
  return std::make_shared<KvTree>(turn.state->transaction, grants);
}

}  // namespace carrel::capability::kv
