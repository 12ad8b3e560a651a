#include "cli/doctor_checks.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "app/units.h"
#include "base/digest.h"
#include "cli/engine_room.h"
#include "cli/state_folder.h"
#include "cli/toolchains.h"

namespace carrel::cli {
namespace {

using Status = Check::Status;
constexpr std::uint64_t kMiB = 1ULL << 20;
constexpr std::uint64_t kGiB = 1ULL << 30;

Check fine(std::string name, std::string found) {
  return {.name = std::move(name), .found = std::move(found)};
}
Check warning(std::string name, std::string found, std::string help) {
  return {.name = std::move(name),
          .status = Status::warning,
          .found = std::move(found),
          .help = std::move(help)};
}
Check problem(std::string name, std::string found, std::string help) {
  return {.name = std::move(name),
          .status = Status::problem,
          .found = std::move(found),
          .help = std::move(help)};
}

std::uint64_t number_in(const char* path, std::uint64_t otherwise) {
  std::ifstream file(path);
  std::uint64_t value = 0;
  return file >> value ? value : otherwise;
}

std::string about(std::uint64_t bytes) {
  if (bytes >= 10 * kGiB) return fmt::format("{} GiB", bytes / kGiB);
  return fmt::format("{} MiB", bytes / kMiB);
}

Check check_openat2() {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  const long fd = ::syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof how);
  if (fd >= 0) {
    ::close(static_cast<int>(fd));
    return fine("openat2", "works");
  }
  return problem(
      "openat2", std::strerror(errno),
      "host folders (run --dir, volumes) need Linux 5.6 or newer and a seccomp profile that allows openat2");
}

Check check_seccomp() {
  const std::uint32_t action = SECCOMP_RET_KILL_PROCESS;
  if (::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0)
    return fine("seccomp", "works");
  return problem(
      "seccomp", std::strerror(errno),
      "untrusted modules are compiled behind a seccomp filter: use a kernel with CONFIG_SECCOMP_FILTER");
}

Check check_processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  std::string model = "unknown";
  while (std::getline(file, line)) {
    if (!line.starts_with("model name")) continue;
    const auto colon = line.find(": ");
    if (colon != std::string::npos) model = line.substr(colon + 2);
    break;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  const int count = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  return fine("processor", fmt::format("{}, {} may be used", model, count));
}

Check check_descriptors() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::string found = fmt::format("{} (at most {})", limit.rlim_cur, limit.rlim_max);
  if (limit.rlim_cur >= 4096) return fine("open files", found);
  return warning("open files", found,
                 "a server needs one a connection: ulimit -n 65536, or LimitNOFILE= in its unit");
}

Check check_address_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_AS, &limit);
  if (limit.rlim_cur == RLIM_INFINITY) return fine("address space limit", "none");
  const std::string found = about(limit.rlim_cur);
  if (limit.rlim_cur < 128 * kGiB) {
    return problem("address space limit", found,
                   "each guest reserves 4 GiB of addresses, not of memory: ulimit -v unlimited");
  }
  return warning("address space limit", found,
                 "it bounds how many guests run at once: ulimit -v unlimited");
}

Check check_mappings() {
  const std::uint64_t most = number_in("/proc/sys/vm/max_map_count", 0);
  if (most >= 65'530) return fine("vm.max_map_count", fmt::format("{}", most));
  return warning("vm.max_map_count", fmt::format("{}", most),
                 "it bounds guests and loaded modules: sysctl -w vm.max_map_count=262144");
}

Check check_overcommit() {
  const std::uint64_t mode = number_in("/proc/sys/vm/overcommit_memory", 0);
  if (mode != 2) return fine("vm.overcommit_memory", fmt::format("{}", mode));
  return warning("vm.overcommit_memory", "2 (strict)",
                 "reservations may count as memory: sysctl -w vm.overcommit_memory=0");
}

Check check_memory() {
  const auto machine = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
                       static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t group = number_in("/sys/fs/cgroup/memory.max", machine);
  if (group < machine)
    return fine("memory", fmt::format("{}, of which this control group may use {}", about(machine),
                                      about(group)));
  return fine("memory", about(machine));
}

// What the pool will ask for, asked for once.
Check check_address_space() {
  const wasm::EngineSettings settings = wasm::settings_for_this_machine();
  const std::uint64_t size = settings.slots * (settings.memory_reservation + settings.memory_guard);
  void* at = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) {
    return problem("address space",
                   fmt::format("{} cannot be reserved: {}", about(size), std::strerror(errno)),
                   "raise RLIMIT_AS (ulimit -v unlimited), and set vm.overcommit_memory to 0");
  }
  ::munmap(at, size);
  return fine("address space", fmt::format("{} can be reserved", about(size)));
}

Check check_disk(const std::filesystem::path& folder) {
  struct statvfs status{};
  if (::statvfs(folder.c_str(), &status) != 0) return problem("disk", std::strerror(errno), "");
  const std::uint64_t free = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  const std::string found = fmt::format("{} free in {}", about(free), folder.string());
  if (free >= kGiB) return fine("disk", found);
  return warning("disk", found,
                 "compiled code takes about ten times a module's size: make room, or move --state");
}

constexpr std::string_view kTiny =
    "(module (memory (export \"memory\") 1) (func (export \"_start\")))";

// From text to code through the sealed child and back, by a cache of its own. Compiled anew each
// time.
Check check_compiling(const std::filesystem::path& state) {
  std::string pattern = (state / "doctor-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    return problem("compiling", std::strerror(errno), "check the state folder");
  auto room = open_engine_room(pattern, shell_settings());
  Result<std::shared_ptr<const wasm::Module>> module =
      room ? room->cache->compile(sha256_hex(kTiny), std::as_bytes(std::span(kTiny)))
           : Result<std::shared_ptr<const wasm::Module>>(std::unexpected(room.error()));
  std::error_code ignored;
  std::filesystem::remove_all(pattern, ignored);
  if (module) return fine("compiling", "works, in a child process without rights");
  return problem("compiling", module.error().message(), module.error().help());
}

}  // namespace

std::vector<Check> check_kernel() {
  utsname name{};
  ::uname(&name);
  const std::string found = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
  Check kernel = std::string_view(name.machine) == "x86_64"
                     ? fine("kernel", found)
                     : warning("kernel", found, "only x86_64 is tested");
  return {std::move(kernel), check_processor(), check_openat2(), check_seccomp()};
}

std::vector<Check> check_limits() {
  return {check_memory(),   check_descriptors(), check_address_limit(),
          check_mappings(), check_overcommit(),  check_address_space()};
}

std::vector<Check> check_engine(const std::string& state) {
  std::vector<Check> checks;
  if (auto engine = wasm::Engine::make(wasm::settings_for_this_machine()); engine) {
    checks.push_back(fine("engine", fmt::format("{} guests at once", (*engine)->settings().slots)));
  } else {
    checks.push_back(problem("engine", engine.error().message(), engine.error().help()));
  }
  const auto folder = open_state(state);
  if (!folder) {
    checks.push_back(problem("state folder", folder.error().message(), folder.error().help()));
    return checks;
  }
  checks.push_back(fine("state folder", folder->string()));
  checks.push_back(check_disk(*folder));
  checks.push_back(check_compiling(*folder));
  return checks;
}

std::vector<Check> check_toolchains() {
  std::vector<Check> checks;
  for (const Toolchain& toolchain : toolchains()) {
    const std::string name = fmt::format("guests in {}", toolchain.label);
    Found found = look_for(toolchain);
    checks.push_back(found.usable
                         ? fine(name, std::move(found.what))
                         : warning(name, std::move(found.what), std::string(toolchain.get)));
  }
  return checks;
}

}  // namespace carrel::cli
