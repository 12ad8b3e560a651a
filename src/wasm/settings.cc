#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "wasm/engine.h"

namespace carrel::wasm {
namespace {

constexpr std::uint64_t kKiB = 1ULL << 10, kMiB = 1ULL << 20, kGiB = 1ULL << 30;
// Up to nine for a used memory and its tables, two for a stack; and in the pool of WASI 0.3, which
// is half as large, eight for stacks and three for the rest: guests alive at once are bounded for
// both.
constexpr std::uint64_t kMappingsASlot = 11 + (8 + 3 + 1) / 2;

std::uint64_t read_number(const char* path, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? value : otherwise;
}

// The least of the machine's memory and its control group's.
std::uint64_t memory_here() {
  const auto machine = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return std::min(machine, read_number("/sys/fs/cgroup/memory.max", machine));
}

std::uint64_t address_space_here() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return 64ULL << 40;
  return limit.rlim_cur;
}

std::string size_text(std::uint64_t bytes) {
  if (bytes >= kGiB && bytes % kGiB == 0) return fmt::format("{} GiB", bytes / kGiB);
  if (bytes >= kMiB && bytes % kMiB == 0) return fmt::format("{} MiB", bytes / kMiB);
  return fmt::format("{} KiB", bytes / kKiB);
}

}  // namespace

EngineSettings settings_for_this_machine() {
  EngineSettings settings;
  const std::uint64_t memory = memory_here();
  const std::uint64_t mappings = read_number("/proc/sys/vm/max_map_count", 65'530);
  const std::uint64_t slots =
      std::min({memory / (8 * kMiB), mappings * 2 / 3 / kMappingsASlot,
                address_space_here() / 4 / (settings.memory_reservation + settings.memory_guard)});
  settings.slots = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(slots, 16, 4096));
  settings.max_memory = std::clamp(memory / 4, 64 * kMiB, 4 * kGiB) & ~(64 * kKiB - 1);
  if (memory >= 3 * kGiB) settings.memory_keep_resident = 3 * kMiB;
  // A module whose slot was given to another one meets memory that is mapped anew, which costs more
  // than a short turn does. All of them together may keep a quarter of the machine's memory.
  settings.warm_slots = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
      memory / 4 / settings.memory_keep_resident, std::min(settings.slots, 100U), settings.slots));
  return settings;
}

std::uint32_t slots_for_concurrency(const EngineSettings& settings) {
  constexpr std::uint32_t kFew = 16;
  return std::max(settings.slots / 2, std::min(settings.slots, kFew));
}

std::vector<SettingNote> explain(const EngineSettings& s) {
  return {
      {"slots", fmt::format("{}", s.slots),
       "memories of guests: one per 8 MiB, within vm.max_map_count and RLIMIT_AS, at most 4096; half of them, at most 1000, are for guests alive at once"},
      {"slots for WASI 0.3", fmt::format("{}", slots_for_concurrency(s)),
       "half as many, in a pool of their own, for components that do several things at once; mapped when the first one is loaded"},
      {"slots kept warm", fmt::format("{}", s.warm_slots),
       "unused, with the memory of the module they had; together a quarter of the machine's memory at most"},
      {"largest memory", size_text(s.max_memory),
       "what any module may be granted: a quarter of the machine's memory"},
      {"address space a slot", size_text(s.memory_reservation + s.memory_guard),
       "so much that a guest's pointer cannot leave it: no bounds checks in compiled code"},
      {"memory kept resident", size_text(s.memory_keep_resident),
       "wiped by copying after a turn, which is cheaper than new pages; the rest goes back to the kernel"},
      {"table kept resident", size_text(s.table_keep_resident), "the same for tables of functions"},
      {"stack kept resident", size_text(s.stack_keep_resident), "the same for stacks"},
      {"guest stack", size_text(s.wasm_stack), "a deeper recursion traps"},
      {"stack a slot", size_text(s.async_stack),
       "the guest's and that of the host functions it calls"},
      {"largest table", fmt::format("{} elements", s.table_elements),
       "functions that a module may call indirectly"},
      {"pages wiped by scan", s.pagemap_scan ? "on" : "off",
       "off: pages that are swapped out or moved during the scan would keep another guest's data"},
      {"released at once", fmt::format("{}", s.decommit_batch),
       "slots whose memory goes back to the kernel in one call"},
  };
}

}  // namespace carrel::wasm
