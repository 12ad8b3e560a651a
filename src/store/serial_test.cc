// Whatever turns do at once, what they saw and did is as if they had run one after the other.
//
// Random turns on two shards; each notes what it read and changed. Afterwards the notes are
// replayed on a map by order of commit. Turns of one batch have the same version: all have read the
// state before it, and there must be an order in which whoever read a name comes before who changed
// it.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "async/shared_task.h"
#include "store/database_test_support.h"
#include "store/store.h"

namespace carrel::store {
namespace {

const Place kValues{.kind = Kind::value, .store = "s"};
const Place kCounters{.kind = Kind::counter, .store = "s"};

// What one turn read and did. Names of counters begin with '#'; values that are not there are "-".
struct Note {
  std::uint64_t version = 0;
  std::map<std::string, std::string> read;
  std::map<std::string, std::set<std::string>> listed;  // by prefix
  std::map<std::string, std::string> written;
  std::map<std::string, std::int64_t> added;

  bool changes_something() const { return !written.empty() || !added.empty(); }
  bool changes(const std::string& name) const {
    return written.contains(name) || added.contains(name);
  }
  // Whether it read something that `other` has changed.
  bool comes_before(const Note& other) const {
    for (const auto& [name, value] : read) {
      if (other.changes(name)) return true;
    }
    for (const auto& [prefix, names] : listed) {
      for (const auto& [name, value] : other.written) {
        if (name.starts_with(prefix) && names.contains(name) != (value != "-")) return true;
      }
    }
    return false;
  }
};

struct Side {
  async::Shard shard;
  ShardStore* local = nullptr;
  std::vector<Note> notes;
  std::string problem;
  int conflicts = 0;
};

async::Task<std::string> read(Transaction* turn, Place place, std::string name, Track track) {
  const auto got = co_await turn->read(place, name, track);
  if (!got) co_return "?";
  if (*got == nullptr) co_return "-";
  if (place.kind != Kind::counter) co_return (*got)->bytes;
  co_return std::to_string(decode_count((*got)->bytes).value_or(-1));
}

async::Task<std::set<std::string>> names(Transaction* turn, std::string prefix) {
  const auto page = co_await turn->read_names(kValues, prefix, "", 100);
  std::set<std::string> found;
  if (page) {
    for (const auto& entry : page->entries) found.insert(entry.name);
  }
  co_return found;
}

std::string any_name(std::minstd_rand& random) {
  return std::string(random() % 2 == 0 ? "a/" : "b/") + std::to_string(random() % 6);
}

// The same choices each time it is run: a turn that lost is run again.
async::Task<Note> act(Transaction* turn, std::uint32_t seed) {
  std::minstd_rand random(seed * 7919 + 1);
  random.discard(3);
  Note note;
  for (auto n = random() % 3; n > 0; --n) {
    const std::string name = any_name(random);
    note.read[name] = co_await read(turn, kValues, name, Track::yes);
  }
  if (random() % 4 == 0) note.read["#n"] = co_await read(turn, kCounters, "#n", Track::yes);
  if (random() % 4 == 0) {
    const std::string prefix = random() % 2 == 0 ? "a/" : "b/";
    note.listed[prefix] = co_await names(turn, prefix);
  }
  for (auto n = random() % 3; n > 0; --n) {
    const std::string name = any_name(random);
    if (note.written.contains(name)) continue;
    co_await read(turn, kValues, name, Track::no);
    const bool erased = random() % 3 == 0;
    note.written[name] = erased ? "-" : "w" + std::to_string(seed);
    const auto changed = erased ? turn->erase(kValues, name)
                                : turn->put(kValues, name, {.bytes = note.written[name]});
    EXPECT_TRUE(changed);
  }
  if (random() % 4 == 0) {
    const auto delta = static_cast<std::int64_t>(random() % 9) - 4;
    EXPECT_TRUE(turn->add("s", "#n", delta, std::nullopt));
    note.added["#n"] = delta;
  }
  co_return note;
}

async::Task<void> turns(Side* side, std::uint32_t first, std::uint32_t count) {
  for (std::uint32_t seed = first; seed < first + count; ++seed) {
    Transaction turn(*side->local, TenantName("shop"), {});
    while (true) {
      Note note = co_await act(&turn, seed);
      const auto committed = co_await turn.commit();
      if (committed) {
        note.version = static_cast<std::uint64_t>(*committed);
        side->notes.push_back(std::move(note));
        break;
      }
      if (committed.error().code() != Code::conflict) {
        side->problem = committed.error().describe();
        co_return;
      }
      ++side->conflicts;
      co_await turn.restart();
    }
  }
}

async::Task<void> many_turns(Side* side, std::uint32_t first) {
  constexpr std::uint32_t kAtOnce = 8, kEach = 50;
  std::array<async::SharedTask, kAtOnce> started;
  for (std::uint32_t i = 0; i < kAtOnce; ++i)
    started[i].begin(turns(side, first + i * kEach, kEach));
  for (auto& one : started) co_await async::SharedTask::end_of(&one);
}

// The state, one batch after the other. When turns of a batch have written the same name unseen,
// what it holds is one of these, and the next who reads it tells which.
class Model {
 public:
  void check_reads(const Note& note) {
    for (const auto& [name, value] : note.read) {
      auto& possible = may_hold(name);
      EXPECT_TRUE(possible.contains(value)) << name << " is " << value << " at " << note.version;
      possible = {value};
    }
    for (const auto& [prefix, listed] : note.listed) {
      for (int i = 0; i < 6; ++i) {
        const std::string name = prefix + std::to_string(i);
        auto& possible = may_hold(name);
        const bool there = listed.contains(name);
        std::erase_if(possible, [there](const auto& value) { return (value != "-") != there; });
        EXPECT_FALSE(possible.empty()) << name << " is listed wrongly at " << note.version;
      }
    }
  }
  void apply(const std::vector<const Note*>& batch) {
    std::map<std::string, std::set<std::string>> written;
    for (const Note* note : batch) {
      for (const auto& [name, value] : note->written) written[name].insert(value);
      for (const auto& [name, delta] : note->added) {
        const std::string& now = *may_hold(name).begin();
        may_hold(name) = {std::to_string((now == "-" ? 0 : std::stoll(now)) + delta)};
      }
    }
    for (auto& [name, values] : written) state_[name] = std::move(values);
  }
  std::set<std::string>& may_hold(const std::string& name) {
    return state_.try_emplace(name, std::set<std::string>{"-"}).first->second;
  }

 private:
  std::map<std::string, std::set<std::string>> state_;
};

bool has_an_order(std::vector<const Note*> batch) {
  while (!batch.empty()) {
    const auto first = std::ranges::find_if(batch, [&](const Note* one) {
      return std::ranges::none_of(
          batch, [one](const Note* other) { return other != one && other->comes_before(*one); });
    });
    if (first == batch.end()) return false;
    batch.erase(first);
  }
  return true;
}

class SerialTurns : public DatabaseFixture, public testing::WithParamInterface<std::uint32_t> {};

TEST_P(SerialTurns, AreAsIfOneRanAfterTheOther) {
  StoreOptions o;
  o.folder = folder;
  o.cache_bytes = 8 << 20;
  const auto store = std::move(*Store::open(o));
  Side sides[2];
  for (Side& side : sides) side.local = &store->attach(side.shard);
  std::thread other(
      [&] { sides[1].shard.run_until_done(many_turns(&sides[1], GetParam() + 1000)); });
  sides[0].shard.run_until_done(many_turns(&sides[0], GetParam()));
  other.join();
  store->stop();

  struct Batch {
    std::vector<const Note*> changing, reading;
  };
  std::map<std::uint64_t, Batch> batches;
  for (const Side& side : sides) {
    EXPECT_EQ(side.problem, "");
    EXPECT_EQ(side.notes.size(), 400U);
    EXPECT_GT(side.conflicts, 0);
    for (const Note& note : side.notes) {
      auto& batch = batches[note.version];
      (note.changes_something() ? batch.changing : batch.reading).push_back(&note);
    }
  }
  Model model;
  for (const auto& [version, batch] : batches) {
    for (const Note* note : batch.changing) model.check_reads(*note);
    EXPECT_TRUE(has_an_order(batch.changing)) << "at " << version;
    model.apply(batch.changing);
    for (const Note* note : batch.reading) model.check_reads(*note);
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, SerialTurns, testing::Values(1U, 20'000U, 300'000U));

}  // namespace
}  // namespace carrel::store
