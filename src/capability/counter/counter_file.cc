#include "capability/counter/counter_file.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "capability/counter/additions.h"
#include "capability/state/look.h"
#include "capability/state/positioned_file.h"
#include "capability/state/store_errno.h"

namespace carrel::capability::counter {
namespace {

using wasi::Errno;
using wasi::fail;
using wasi::Io;

constexpr std::size_t kMaxWrite = 4096;  // bytes of one write

class CounterFile final : public state::PositionedFile {
 public:
  CounterFile(store::Transaction& transaction, store::Place place, std::string name,
              const wasi::OpenHow& how)
      : PositionedFile(how),
        transaction_(transaction),
        place_(std::move(place)),
        name_(std::move(name)) {}

  // Never waits: a size that is not in memory is told as 0.
  Io<wasi::FileStat> stat(wasi::IoContext&) override {
    wasi::FileStat stat{.type = wasi::FileType::regular};
    const auto found = transaction_.get(place_, name_, store::Track::no);
    if (!found) return stat;
    if (!*found) return fail(state::errno_of(found->error()));
    if (**found == nullptr) return stat;
    const auto count = store::decode_count((**found)->bytes);
    if (!count) return fail(Errno::io);
    stat.size = std::to_string(*count).size() + 1;
    return stat;
  }

  Io<std::size_t> read_at(wasi::IoContext& io, wasi::Buffers into, std::uint64_t at) override {
    if (!how().read) return fail(Errno::badf);
    const auto text = value(io);
    if (!text) return fail(text.error());
    std::size_t done = 0;
    for (const auto buffer : into) {
      if (at >= text->size()) break;
      const auto size = std::min<std::size_t>(buffer.size(), text->size() - at);
      if (size != 0) std::memcpy(buffer.data(), text->data() + at, size);
      at += size;
      done += size;
    }
    return done;
  }

  Io<std::size_t> write(wasi::IoContext&, wasi::ConstBuffers from) override {
    if (!how().write) return fail(Errno::badf);
    std::string text;
    for (const auto buffer : from) {
      if (buffer.size() > kMaxWrite - text.size()) return fail(Errno::inval);
      text.append(reinterpret_cast<const char*>(buffer.data()), buffer.size());
    }
    if (text.empty()) return 0;
    const auto addition = parse(text);
    if (!addition) return fail(Errno::inval);
    const auto added = transaction_.add(place_.store, name_, addition->delta, addition->floor);
    if (!added) return fail(state::errno_of(added.error()));
    return text.size();
  }

  Io<std::size_t> write_at(wasi::IoContext& io, wasi::ConstBuffers from, std::uint64_t) override {
    return write(io, from);
  }

  Io<void> set_size(wasi::IoContext&, std::uint64_t) override {
    if (!how().write) return fail(Errno::inval);
    return {};  // a counter is never cut
  }

 private:
  Io<std::uint64_t> end(wasi::IoContext&) override { return 0; }  // a write adds, wherever it is
  Io<std::string> value(wasi::IoContext& io) {
    const auto found = state::look(io, transaction_, place_, name_, store::Track::no);
    if (!found) return fail(found.error());
    if (*found == nullptr) return std::string();
    const auto count = store::decode_count((*found)->bytes);
    if (!count) return fail(Errno::io);
    return std::to_string(*count) + "\n";
  }

  store::Transaction& transaction_;
  store::Place place_;
  std::string name_;
};

}  // namespace

std::unique_ptr<wasi::OpenFile> open_counter(store::Transaction& transaction, store::Place place,
                                             std::string name, const wasi::OpenHow& how) {
  return std::make_unique<CounterFile>(transaction, std::move(place), std::move(name), how);
}

}  // namespace carrel::capability::counter
