#include "store/database_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>

#include <charconv>
#include <cstring>
#include <string_view>

#include "base/fd.h"
#include "base/files.h"
#include "store/database.h"

namespace carrel::store {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kMagic = "carrel store ";
constexpr std::string_view kNewFormat = "FORMAT.new";  // left when a crash came between

Error io_error(std::string_view what, const fs::path& path, int number) {
  return Error(number == ENOSPC ? Code::store_full : Code::io,
               fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(number)));
}

Result<bool> is_vacant(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const auto name = it->path().filename();
    if (name != kNewFormat && name != "lost+found") return false;
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return std::unexpected(io_error("read the folder", folder, error.value()));
  }
  return true;
}

bool holds_anything(const fs::path& folder) {
  std::error_code error;
  return fs::exists(folder, error) && !fs::is_empty(folder, error);
}

Error foreign(const fs::path& folder, std::string_view why) {
  return Error(Code::store_format, fmt::format("{} is not a store: {}", folder.string(), why),
               "name another folder; nothing in this one was changed");
}

Result<void> check_format(const fs::path& folder, std::string_view text) {
  if (!text.starts_with(kMagic)) return std::unexpected(foreign(folder, "its FORMAT is not ours"));
  text.remove_prefix(kMagic.size());
  std::uint32_t format = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), format);
  if (error != std::errc() || end == text.data() + text.size() || *end != '\n') {
    return std::unexpected(foreign(folder, "its FORMAT has no number"));
  }
  if (format == kStoreFormat) return {};
  return fail(Code::store_format,
              fmt::format("the store in {} has format {}; this Carrel knows format {}",
                          folder.string(), format, kStoreFormat),
              "use a newer Carrel for it; nothing in it was changed");
}

// A FORMAT without its database: RocksDB would begin an empty one in silence.
Result<void> check_not_lost(const fs::path& folder) {
  std::error_code error;
  const auto db = database_folder(folder);
  if (fs::exists(db / "CURRENT", error)) return {};
  bool data = holds_anything(parts_folder(folder));
  for (fs::directory_iterator it(db, error), end; !error && it != end; it.increment(error)) {
    const auto kind = it->path().extension();
    data = data || kind == ".sst" || kind == ".log";
  }
  if (!data) return {};
  return fail(Code::data_corrupt, fmt::format("{} lacks the database's file CURRENT", db.string()),
              "restore a backup: carrel store restore");
}

Result<void> sync_folder(const fs::path& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) {
    return std::unexpected(io_error("sync the folder", folder, errno));
  }
  return {};
}

}  // namespace

fs::path format_file(const fs::path& folder) { return folder / "FORMAT"; }
fs::path database_folder(const fs::path& folder) { return folder / "db"; }
fs::path parts_folder(const fs::path& folder) { return folder / "parts"; }

Result<void> check_folder(const fs::path& folder) {
  auto text = read_file(format_file(folder), 100);
  if (text) {
    CARREL_TRY_VOID(check_format(folder, *text));
    return check_not_lost(folder);
  }
  if (text.error().code() != Code::not_found) return std::unexpected(std::move(text).error());
  CARREL_TRY(const bool empty, is_vacant(folder));
  if (!empty) return std::unexpected(foreign(folder, "it holds other files and no FORMAT"));
  return fail(Code::not_found, fmt::format("there is no store in {}", folder.string()));
}

Result<void> prepare_folder(const fs::path& folder) {
  const auto checked = check_folder(folder);
  if (!checked && checked.error().code() != Code::not_found) return checked;
  std::error_code error;
  if (!checked) fs::create_directories(folder, error);
  if (error) return std::unexpected(io_error("make the folder", folder, error.value()));
  // What is stored is nobody else's to read, whoever may enter the folders above.
  fs::permissions(folder, fs::perms::owner_all, error);
  if (error) return std::unexpected(io_error("close to others", folder, error.value()));
  return checked ? Result<void>() : write_format(folder);
}

Result<std::uint64_t> store_secret(const fs::path& folder) {
  CARREL_TRY(const auto text, read_file(format_file(folder), 100));
  const auto line = std::string_view(text).substr(std::min(text.find('\n'), text.size()));
  std::uint64_t secret = 0;
  if (!line.empty()) std::from_chars(line.data() + 1, line.data() + line.size(), secret, 16);
  return secret;
}

Result<void> write_format(const fs::path& folder) {
  const auto temporary = folder / kNewFormat;
  std::uint64_t secret = 0;
  randombytes_buf(&secret, sizeof secret);
  const auto text = fmt::format("{}{}\n{:016x}\n", kMagic, kStoreFormat, secret);
  {
    const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd) return std::unexpected(io_error("make", temporary, errno));
    const auto written = ::write(fd.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) {
      return std::unexpected(io_error("write", temporary, written < 0 ? errno : ENOSPC));
    }
    if (::fsync(fd.get()) != 0) return std::unexpected(io_error("sync", temporary, errno));
  }
  std::error_code error;
  fs::rename(temporary, format_file(folder), error);
  if (error) return std::unexpected(io_error("rename", temporary, error.value()));
  return sync_folder(folder);
}

}  // namespace carrel::store
