#include "store/merged_walk.h"

#include <algorithm>

#include "store/key.h"
#include "store/record.h"

namespace carrel::store {

MergedWalk::MergedWalk(std::shared_ptr<const DatabaseView> view, std::string prefix,
                       std::vector<OwnName> own, std::uint64_t now, Reach reach)
    : prefix_(std::move(prefix)),
      own_(std::move(own)),
      now_(now),
      cursor_(std::move(view), end_of(prefix_), reach) {}

Cursor::State MergedWalk::seek(std::string_view name) {
  at_ = static_cast<std::size_t>(
      std::ranges::lower_bound(own_, name, {},
                               [](const OwnName& o) { return std::string_view(o.name); }) -
      own_.begin());
  cursor_.seek(prefix_ + std::string(name));
  return settle();
}

Cursor::State MergedWalk::next() {
  const std::string after = name_ + '\0';
  if (at_ < own_.size() && own_[at_].name < after) ++at_;
  if (cursor_.state() == Cursor::State::valid && cursor_.key().substr(prefix_.size()) < after) {
    cursor_.next();
  }
  return settle();
}

Cursor::State MergedWalk::settle() {
  using State = Cursor::State;
  while (true) {
    const State state = cursor_.state();
    if (state == State::failed) error_ = cursor_.error();
    if (state == State::failed || state == State::not_in_memory) return state;
    const bool stored = state == State::valid;
    const bool own = at_ < own_.size();
    if (!stored && !own) return State::end;
    const std::string_view there = stored ? cursor_.key().substr(prefix_.size()) : "";
    if (own && (!stored || own_[at_].name <= there)) {
      if (stored && own_[at_].name == there) cursor_.next();
      const OwnName& mine = own_[at_];
      if (mine.there && (mine.expires == 0 || mine.expires > now_)) {
        name_ = mine.name;
        size_ = mine.size;
        expires_ = mine.expires;
        return State::valid;
      }
      ++at_;
      continue;
    }
    const auto record = view_record(cursor_.value());
    if (!record) {
      error_ = Error(Code::data_corrupt, "a stored record is damaged");
      return State::failed;
    }
    if (record->expires == 0 || record->expires > now_) {
      name_ = there;
      size_ = record->bytes.size();
      expires_ = record->expires;
      return State::valid;
    }
    cursor_.next();
  }
}

}  // namespace carrel::store
