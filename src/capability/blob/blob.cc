#include "capability/blob/blob.h"

#include "capability/blob/blob_file.h"
#include "capability/blob/hands.h"
#include "capability/blob/manifest.h"
#include "capability/state/store_errno.h"
#include "capability/state/store_tree.h"
#include "turn/state.h"

namespace carrel::capability::blob {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;

class BlobTree final : public state::StoreTree {
 public:
  BlobTree(turn::State& state, TenantName tenant, const std::vector<turn::StoreGrant>& grants)
      : StoreTree(state.transaction, store::Kind::blob, grants),
        hands_(std::make_shared<Hands>(state, std::move(tenant))) {}

  Io<void> rename(wasi::IoContext& io, std::string_view from, std::string_view to) override {
    auto renamed = renaming(io, from, to, Across::nothing);
    if (!renamed) return fail(renamed.error());
    if (!*renamed) return {};
    auto& [source, target, record] = **renamed;
    if (!store::decode_manifest(record.bytes)) return fail(Errno::io);
    return move(source, target, std::move(record));
  }

  Io<void> set_times(wasi::IoContext&, std::string_view, wasi::SetTimes, bool) override {
    return fail(Errno::notsup);
  }

 private:
  Io<void> move(const Spot& from, const Spot& to, store::Record record) {
    const std::uint64_t size = size_of(record.bytes);
    const auto done =
        transaction().move(from.place, from.name, to.place, to.name, std::move(record), size);
    if (!done) return fail(state::errno_of(done.error()));
    hands_->move(hands_->of(from.place, from.name), hands_->of(to.place, to.name));
    return {};
  }

  Io<std::unique_ptr<wasi::OpenFile>> open_file(const Spot& spot, const store::Record* there,
                                                const wasi::OpenHow& how) override {
    const bool anew = there == nullptr || how.truncate;
    const std::uint64_t size = anew ? 0 : size_of(there->bytes);
    if (!anew && !store::decode_manifest(there->bytes)) return fail(Errno::io);
    if (anew) {
      store::Record none;
      set_size(none.bytes, 0);
      auto done = transaction().put(spot.place, spot.name, std::move(none));
      if (done) done = transaction().set_weight(spot.place, spot.name, 0);
      if (!done) return fail(state::errno_of(done.error()));
      hands_->empty(hands_->of(spot.place, spot.name));
    }
    Hand& hand = hands_->of(spot.place, spot.name);
    return std::make_unique<BlobFile>(transaction(), hands_, hand, how, size);
  }
  wasi::FileStat stat_file(const store::Record& record) const override {
    return {.type = wasi::FileType::regular, .size = size_of(record.bytes)};
  }

  std::shared_ptr<Hands> hands_;
};

}  // namespace

std::shared_ptr<wasi::Node> mount(turn::Turn& turn) {
  const auto& grants = turn.module.grants.blobs;
  if (grants.empty() || turn.state == nullptr) return nullptr;
  return std::make_shared<BlobTree>(*turn.state, turn.module.tenant, grants);
}

}  // namespace carrel::capability::blob
