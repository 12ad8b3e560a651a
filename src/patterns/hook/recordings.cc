#include "patterns/hook/recordings.h"

#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <utility>

namespace carrel::hook {
namespace {

using Key = std::pair<TenantName, std::string>;

std::size_t weight_of(const Recording& recording) {
  return sizeof(Recording) + recording.status.size() + recording.code.size() +
         recording.text.size() + recording.input.size() + recording.answer.size();
}

}  // namespace

struct Recordings::Impl {
  struct OfBinding {
    Key key;
    std::deque<RecordingRef> all;
    std::size_t bytes = 0;
  };
  using Bindings = std::list<OfBinding>;  // the one that was asked last is the first

  mutable std::mutex mutex;
  Bindings bindings;
  std::map<Key, Bindings::iterator> by_key;
  std::size_t bytes = 0;
  std::uint64_t added = 0;

  OfBinding& of(const Key& key) {
    const auto [found, fresh] = by_key.try_emplace(key);
    if (fresh) {
      found->second = bindings.insert(bindings.begin(), OfBinding{.key = key, .all = {}});
    } else {
      bindings.splice(bindings.begin(), bindings, found->second);
    }
    return *found->second;
  }

  void drop_first(OfBinding& of) {
    const std::size_t weight = weight_of(*of.all.front());
    of.bytes -= weight;
    bytes -= weight;
    of.all.pop_front();
  }

  void forget(std::map<Key, Bindings::iterator>::iterator found) {
    bytes -= found->second->bytes;
    bindings.erase(found->second);
    by_key.erase(found);
  }
};

Recordings::Recordings() : impl_(std::make_unique<Impl>()) {}
Recordings::~Recordings() = default;

void Recordings::add(const TenantName& tenant, std::string_view binding, Recording recording) {
  for (std::string* const document : {&recording.input, &recording.answer}) {
    if (document->size() > kMostDocument) document->clear();
  }
  if (recording.text.size() > kMostDocument) recording.text.resize(kMostDocument);
  const std::lock_guard lock(impl_->mutex);
  recording.number = ++impl_->added;
  const auto kept = std::make_shared<const Recording>(std::move(recording));
  Impl::OfBinding& of = impl_->of({tenant, std::string(binding)});
  of.all.push_back(kept);
  of.bytes += weight_of(*kept);
  impl_->bytes += weight_of(*kept);
  while (of.all.size() > kMostOfBinding || of.bytes > kMostBytesOfBinding) impl_->drop_first(of);
  while (impl_->bytes > kMostBytes) {
    Impl::OfBinding& oldest = impl_->bindings.back();
    impl_->drop_first(oldest);
    if (oldest.all.empty()) impl_->forget(impl_->by_key.find(oldest.key));
  }
}

std::vector<RecordingRef> Recordings::last(const TenantName& tenant, std::string_view binding,
                                           std::uint64_t after, std::size_t most) const {
  std::vector<RecordingRef> found;
  const std::lock_guard lock(impl_->mutex);
  const auto of = impl_->by_key.find({tenant, std::string(binding)});
  if (of == impl_->by_key.end()) return found;
  for (const RecordingRef& each : of->second->all) {
    if (each->number > after) found.push_back(each);
  }
  if (found.size() > most) found.erase(found.begin(), found.end() - static_cast<long>(most));
  return found;
}

void Recordings::forget(const TenantName& tenant, std::string_view binding) {
  const std::lock_guard lock(impl_->mutex);
  const auto found = impl_->by_key.find({tenant, std::string(binding)});
  if (found != impl_->by_key.end()) impl_->forget(found);
}

}  // namespace carrel::hook
