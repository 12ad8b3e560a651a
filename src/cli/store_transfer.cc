// carrel store export, carrel store import.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "async/shard.h"
#include "base/clock.h"
#include "base/fd.h"
#include "cli/command.h"
#include "cli/line_reader.h"
#include "cli/state_folder.h"
#include "cli/store_actions.h"
#include "cli/terminal.h"
#include "store/database_folder.h"
#include "store/export.h"
#include "store/import.h"
#include "turn/output_gate.h"

namespace carrel::cli {
namespace {

namespace fs = std::filesystem;
using async::Task;
using Json = nlohmann::ordered_json;

std::unexpected<Error> failed(std::string_view what, const std::string& file) {
  return fail(errno == ENOSPC ? Code::store_full : Code::io,
              fmt::format("cannot {} {}: {}", what, file.empty() ? "the standard stream" : file,
                          std::strerror(errno)));
}

// What is written, in pieces: a file that is gone again unless it is whole, or standard output.
class Output {
 public:
  static Result<std::unique_ptr<Output>> open(const std::string& file) {
    if (file.empty()) return std::unique_ptr<Output>(new Output(file, Fd()));
    Fd fd(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd && errno == EEXIST) {
      return fail(Code::already_exists, fmt::format("{} exists already", file),
                  "name a file that does not exist");
    }
    if (!fd) return failed("make", file);
    return std::unique_ptr<Output>(new Output(file, std::move(fd)));
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (!whole_ && !file_.empty()) ::unlink(file_.c_str());
  }
  Result<void> write(std::string_view text) {
    constexpr std::size_t kMost = 256 << 10;
    buffer_ += text;
    return buffer_.size() < kMost ? Result<void>() : flush();
  }
  Result<void> finish() {
    CARREL_TRY_VOID(flush());
    if (!file_.empty() && ::fsync(fd_.get()) != 0) return failed("sync", file_);
    whole_ = true;
    return {};
  }

 private:
  Output(std::string file, Fd fd) : file_(std::move(file)), fd_(std::move(fd)) {}
  Result<void> flush() {
    std::string_view left = buffer_;
    while (!left.empty()) {
      const ssize_t n = ::write(fd_ ? fd_.get() : STDOUT_FILENO, left.data(), left.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed("write", file_);
      left.remove_prefix(static_cast<std::size_t>(n));
    }
    buffer_.clear();
    return {};
  }
  std::string file_;
  Fd fd_;
  std::string buffer_;
  bool whole_ = false;
};

void say_exported(const store::ExportReport& report, const StoreArguments& arguments) {
  if (arguments.form == Form::json) {
    const Json json{{"values", report.values},
                    {"counters", report.counters},
                    {"blobs", report.blobs},
                    {"bytes", report.bytes},
                    {"left_out", {{"secrets", report.secrets}, {"replies", report.replies}}}};
    // The lines may be on standard output.
    (arguments.file.empty() ? print_error : print)(json.dump() + "\n");
    return;
  }
  print_error(fmt::format(
      "carrel: {} values, {} counters and {} blobs exported; left out: {} secrets, {} replies to\n"
      "        idempotency keys, the node's key\n",
      report.values, report.counters, report.blobs, report.secrets, report.replies));
}

void say_imported(const store::ImportReport& report, Form form) {
  if (form == Form::json) {
    const Json json{{"values", report.values},   {"counters", report.counters},
                    {"blobs", report.blobs},     {"replaced", report.replaced},
                    {"skipped", report.skipped}, {"expired", report.expired}};
    print(json.dump() + "\n");
    return;
  }
  print(fmt::format(
      "imported {} values, {} counters and {} blobs: {} in the place of others; {} were there\n"
      "already and stay as they are, {} have expired\n",
      report.values, report.counters, report.blobs, report.replaced, report.skipped,
      report.expired));
}

Task<Result<void>> feed(store::Importer* importer, LineReader* lines) {
  while (true) {
    auto line = lines->next();
    // What came before a line that cannot be read is committed all the same.
    if (!line || !*line) {
      auto finished = co_await importer->finish();
      co_return line ? std::move(finished) : std::unexpected(std::move(line).error());
    }
    CARREL_CO_TRY_VOID(co_await importer->add(std::move(**line)));
  }
}

// Also what was imported before an error is waited for.
Task<void> import_all(store::Importer* importer, LineReader* lines, turn::OutputGate* gate,
                      Result<void>* result) {
  *result = co_await feed(importer, lines);
  auto kept = co_await gate->wait(importer->version());
  if (!kept) *result = std::move(kept);
}

}  // namespace

Result<int> export_store(const StoreArguments& arguments) {
  CARREL_TRY(const fs::path folder, folder_to_read(arguments));
  CARREL_TRY_VOID(store::check_folder(folder));
  CARREL_TRY(const auto database, store::Database::open({.folder = folder}));
  const store::Parts parts(store::parts_folder(folder));
  store::ExportOptions options{.now = store::milliseconds(system_clock().wall())};
  if (!arguments.app.empty()) options.app = TenantName(arguments.app);
  CARREL_TRY(const auto output, Output::open(arguments.file));
  CARREL_TRY(const auto report,
             store::export_records(database->view(), parts, options,
                                   [&](std::string_view line) { return output->write(line); }));
  CARREL_TRY_VOID(output->finish());
  say_exported(report, arguments);
  return kOk;
}

Result<int> import_store(const StoreArguments& arguments) {
  Fd file;
  if (!arguments.file.empty()) {
    file = Fd(::open(arguments.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return failed("open", arguments.file);
  }
  CARREL_TRY(const fs::path state, open_state(arguments.state));
  CARREL_TRY(const auto store, store::Store::open({.folder = state / "store"}));
  async::Shard shard;
  store::ShardStore& mine = store->attach(shard);
  Result<void> result;
  store::ImportReport report;
  {
    using store::Existing;
    turn::OutputGate gate(mine);
    LineReader lines(file ? file.get() : STDIN_FILENO, store::kMaxLine);
    store::Importer importer(mine,
                             arguments.existing == "skip"      ? Existing::skip
                             : arguments.existing == "replace" ? Existing::replace
                                                               : Existing::refuse,
                             store::milliseconds(system_clock().wall()));
    shard.run_until_done(import_all(&importer, &lines, &gate, &result));
    report = importer.report();
  }
  store->stop();
  say_imported(report, arguments.form);
  if (!result) return std::unexpected(std::move(result).error());
  return kOk;
}

}  // namespace carrel::cli
