#include "capability/blob/hands.h"

#include <algorithm>
#include <bit>

#include "capability/blob/manifest.h"
#include "capability/state/store_errno.h"
#include "store/part_io.h"

namespace carrel::capability::blob {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;

constexpr std::size_t kMostParts = 2048;  // written by a turn, so that it cannot fill the disk
constexpr std::size_t kLeastRoom = 4096;

std::size_t room_for(std::size_t size) {
  return size == 0 ? 0 : std::max(kLeastRoom, std::bit_ceil(size));
}

}  // namespace

Hand& Hands::of(const store::Place& place, const std::string& name) {
  return hands_.try_emplace({place.store, name}, Hand{.place = place, .name = name}).first->second;
}

void Hands::empty(Hand& hand) {
  hand.index.reset();
  std::string().swap(hand.bytes);
  hand.changed = false;
  hand.failure.reset();
}

void Hands::move(Hand& from, Hand& to) {
  to.index = from.index;
  to.bytes = std::move(from.bytes);
  to.changed = from.changed;
  to.failure = from.failure;  // what was lost stays lost
  empty(from);
}

void Hands::close(wasi::IoContext& io, Hand& hand) {
  if (--hand.opens != 0 || hand.changed) return;
  empty(hand);
  (void)make_room(io, hand, 0);  // gives back, which is not refused
  hands_.erase({hand.place.store, hand.name});
}

// Charges what the hands hold once this one holds `size`; gives back what is charged too much.
Io<void> Hands::make_room(wasi::IoContext& io, const Hand& hand, std::size_t size) {
  std::uint64_t held = room_for(std::max(size, hand.bytes.size()));
  Hand* idle = nullptr;
  for (auto& [key, other] : hands_) {
    if (&other == &hand) continue;
    held += room_for(other.bytes.size());
    if (other.opens == 0 && other.changed) idle = &other;
  }
  const auto more = static_cast<std::int64_t>(held) - static_cast<std::int64_t>(charged_);
  if (more == 0 || io.charge_memory(more)) {
    charged_ = held;
    return {};
  }
  if (idle == nullptr || pins_.size() >= kMostParts) return fail(Errno::dquot);
  if (idle->failure) return fail(Errno::io);
  io.wait_for(save(shared_from_this(), idle));
  return fail(Errno::again);
}

Io<void> Hands::bring(wasi::IoContext& io, Hand& hand, std::string_view manifest,
                      std::uint64_t index) {
  if (hand.failure) {
    const Errno error = state::errno_of(*hand.failure);
    if (!hand.changed) hand.failure.reset();
    return fail(error);
  }
  if (hand.index == index) return {};
  if (hand.changed) {
    if (pins_.size() >= kMostParts) return fail(Errno::dquot);
    io.wait_for(save(shared_from_this(), &hand));
    return fail(Errno::again);
  }
  empty(hand);
  const std::uint64_t size = size_of(manifest);
  if (index >= parts_of(size)) {
    hand.index = index;
    return {};
  }
  const auto bytes = static_cast<std::size_t>(
      std::min<std::uint64_t>(size - index * store::kPartBytes, store::kPartBytes));
  if (auto room = make_room(io, hand, bytes); !room) return room;
  io.wait_for(load(shared_from_this(), &hand, index, part_at(manifest, index), bytes));
  return fail(Errno::again);
}

Io<void> Hands::change(wasi::IoContext& io, Hand& hand, std::size_t size) {
  if (room_for(size) != room_for(hand.bytes.size())) {
    if (auto room = make_room(io, hand, size); !room) return room;
    hand.bytes.reserve(std::min(room_for(size), store::kPartBytes));
  }
  hand.changed = true;
  if (finishes_) return {};
  finishes_ = true;
  state_.before_commit.emplace_back([self = shared_from_this()] { return finish(self); });
  return {};
}

async::Task<void> Hands::load(std::shared_ptr<Hands> self, Hand* hand, std::uint64_t index,
                              store::PartHash hash, std::size_t size) {
  auto part = co_await store::fetch_part(self->state_.services.store, self->tenant_, hash, size);
  if (!part) {
    hand->failure = self->state_.failure = std::move(part).error();
    co_return;
  }
  hand->index = index;
  hand->bytes = std::move(*part);
}

// The manifest names the part, if the blob is still there.
Result<void> Hands::enter(Hand& hand, std::uint64_t index, const store::PartHash& hash) {
  store::Transaction& transaction = state_.transaction;
  const auto there = transaction.get(hand.place, hand.name, store::Track::no);
  if (!there) return {};  // a changed blob's record is the turn's own: it always answers
  if (!*there) return std::unexpected(there->error());
  if (**there == nullptr || index >= parts_of(size_of((**there)->bytes))) return {};
  CARREL_TRY(store::Record* const record, transaction.edit(hand.place, hand.name));
  set_part(record->bytes, index, hash);
  return {};
}

async::Task<void> Hands::save(std::shared_ptr<Hands> self, Hand* hand) {
  // Who gives this up has lost the bytes: the turn cannot be kept.
  hand->failure.emplace(Code::internal, "the write of a blob's part was given up");
  const std::uint64_t index = hand->index.value_or(0);
  auto part =
      co_await store::keep_part(self->state_.services.store, self->tenant_, std::move(hand->bytes));
  hand->failure.reset();
  Result<void> done;
  if (part) {
    self->pins_.push_back(std::move(part->pin));
    done = self->enter(*hand, index, part->hash);
  } else {
    done = std::unexpected(std::move(part).error());
  }
  if (!done) {
    // For good: the turn cannot be kept.
    hand->failure = self->state_.failure = std::move(done).error();
    co_return;
  }
  self->empty(*hand);
}

async::Task<Result<void>> Hands::finish(std::shared_ptr<Hands> self) {
  for (auto& [key, hand] : self->hands_) {
    if (!hand.changed) continue;
    const auto there = self->state_.transaction.get(hand.place, hand.name, store::Track::no);
    if (there && *there && **there == nullptr) continue;  // removed by the turn
    if (!hand.failure) co_await save(self, &hand);
    if (hand.failure) co_return std::unexpected(*hand.failure);
  }
  co_return Result<void>();
}

}  // namespace carrel::capability::blob
