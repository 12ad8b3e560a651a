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
    auto move = renaming(io, from, to, Across::stores);
    if (!move) return fail(move.error());
    if (!*move) return {};
    auto& [source, target, record] = **move;
    const auto done = transaction().move(source.place, source.name, target.place, target.name,
                                         std::move(record), 0);
    if (!done) return fail(state::errno_of(done.error()));
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
    const bool anew = there == nullptr || how.truncate;
    const wasi::FileStat opened = stat_of(anew ? store::Record() : *there);
    if (anew) {
      if (auto put = transaction().put(spot.place, spot.name, {}); !put) {
        return fail(state::errno_of(put.error()));
      }
    }
    return std::make_unique<ValueFile>(transaction(), spot.place, spot.name, how, opened);
  }
  wasi::FileStat stat_file(const store::Record& record) const override { return stat_of(record); }
};

}  // namespace

std::shared_ptr<wasi::Node> mount(turn::Turn& turn) {
  const auto& grants = turn.module.grants.kv;
  if (grants.empty() || turn.state == nullptr) return nullptr;
  return std::make_shared<KvTree>(turn.state->transaction, grants);
}

}  // namespace carrel::capability::kv
