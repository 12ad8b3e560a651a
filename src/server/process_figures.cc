#include "server/process_figures.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace carrel::server {
namespace {

constexpr std::uint64_t kMostBytes = 64 << 10;  // of a file of /proc

// The fields after the program's name, which may hold anything.
std::vector<std::uint64_t> fields_of_stat() {
  std::vector<std::uint64_t> fields;
  const auto text = read_file("/proc/self/stat", kMostBytes);
  if (!text) return fields;
  std::string_view rest = *text;
  rest.remove_prefix(std::min(rest.size(), rest.rfind(')') + 1));
  while (!rest.empty()) {
    const std::size_t begin = rest.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    rest.remove_prefix(begin);
    const std::string_view word = rest.substr(0, rest.find(' '));
    std::uint64_t value = 0;
    std::from_chars(word.data(), word.data() + word.size(), value);
    fields.push_back(value);
    rest.remove_prefix(word.size());
  }
  return fields;
}

double boot_seconds() {
  const auto text = read_file("/proc/stat", 1 << 20);
  if (!text) return 0;
  const std::size_t at = text->find("\nbtime ");
  return at == std::string::npos ? 0 : std::strtod(text->c_str() + at + 7, nullptr);
}

// Newer kernels say it of the folder; else its entries are counted.
std::uint64_t open_files() {
  struct stat status{};
  if (::stat("/proc/self/fd", &status) == 0 && status.st_size > 0)
    return static_cast<std::uint64_t>(status.st_size);
  std::error_code error;
  std::uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
       at.increment(error))
    ++count;
  return count;
}

}  // namespace

ProcessFigures process_figures() {
  ProcessFigures figures;
  // Places in proc(5), less the two before the fields.
  constexpr std::size_t kUser = 11, kSystem = 12, kThreads = 17, kStart = 19, kVirtual = 20,
                        kResident = 21;
  const auto fields = fields_of_stat();
  if (fields.size() > kResident) {
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    figures.cpu_seconds = static_cast<double>(fields[kUser] + fields[kSystem]) / ticks;
    figures.start_seconds = boot_seconds() + static_cast<double>(fields[kStart]) / ticks;
    figures.threads = fields[kThreads];
    figures.virtual_bytes = fields[kVirtual];
    figures.resident_bytes = fields[kResident] * static_cast<std::uint64_t>(::getpagesize());
  }
  figures.open_files = open_files();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.most_files = limit.rlim_cur;
  return figures;
}

}  // namespace carrel::server
