#include "capability/counter/counter.h"

#include "capability/counter/counter_file.h"
#include "capability/state/store_tree.h"
#include "turn/state.h"

namespace carrel::capability::counter {
namespace {

class CounterTree final : public state::StoreTree {
 public:
  CounterTree(store::Transaction& transaction, const std::vector<turn::StoreGrant>& grants)
      : StoreTree(transaction, store::Kind::counter, grants) {}

  wasi::Io<void> rename(wasi::IoContext&, std::string_view, std::string_view) override {
    return wasi::fail(wasi::Errno::notsup);
  }

 private:
  wasi::Io<std::unique_ptr<wasi::OpenFile>> open_file(const Spot& spot, const store::Record*,
                                                      const wasi::OpenHow& how) override {
    return open_counter(transaction(), spot.place, spot.name, how);
  }
  wasi::FileStat stat_file(const store::Record& record) const override {
    const auto count = store::decode_count(record.bytes);
    return {.type = wasi::FileType::regular, .size = count ? std::to_string(*count).size() + 1 : 0};
  }
  store::Track track_of(const wasi::OpenHow&) const override { return store::Track::no; }
};

}  // namespace

std::shared_ptr<wasi::Node> mount(turn::Turn& turn) {
  const auto& grants = turn.module.grants.counters;
  if (grants.empty() || turn.state == nullptr) return nullptr;
  return std::make_shared<CounterTree>(turn.state->transaction, grants);
}

}  // namespace carrel::capability::counter
