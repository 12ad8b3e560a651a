#include "store/database.h"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/utilities/checkpoint.h>

#include "store/database_folder.h"
#include "store/database_impl.h"
#include "store/database_table_files.h"

namespace carrel::store {
namespace {

Result<std::optional<std::string>> read(rocksdb::DB& db, const rocksdb::ReadOptions& options,
                                        std::string_view key, rocksdb::PinnableSlice& slice,
                                        bool& incomplete) {
  const auto status = db.Get(options, db.DefaultColumnFamily(), key, &slice);
  if (status.ok()) return std::string(slice.ToStringView());
  if (status.IsNotFound()) return std::optional<std::string>();
  incomplete = status.IsIncomplete() || status.IsTimedOut();
  return std::unexpected(read_error(status));
}

}  // namespace

DatabaseView::DatabaseView(std::shared_ptr<Database> database, std::unique_ptr<Impl> impl)
    : database_(std::move(database)), impl_(std::move(impl)) {}

DatabaseView::~DatabaseView() { impl_->db->ReleaseSnapshot(impl_->snapshot); }

Peek<std::optional<std::string>> DatabaseView::get(std::string_view key, Reach reach) const {
  rocksdb::PinnableSlice slice;
  bool incomplete = false;
  auto answer = read(*impl_->db, get_options(reach, impl_->snapshot), key, slice, incomplete);
  if (incomplete) return {};
  return answer;
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::shared_ptr<Database>> Database::open(const DatabaseOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->folder = options.folder;
  impl->files = options.files;
  const bool writes = options.access == DatabaseOptions::Access::read_write;
  CARREL_TRY_VOID(writes ? prepare_folder(options.folder) : check_folder(options.folder));
  CARREL_TRY(const auto secret, store_secret(options.folder));
  impl->logs =
      std::make_shared<LogFiles>(impl->files ? impl->files->system : rocksdb::FileSystem::Default(),
                                 database_folder(options.folder), secret);
  impl->env = rocksdb::NewCompositeEnv(std::make_shared<TableFiles>(
      impl->logs, impl->files ? TableFiles::Pages::ignored : TableFiles::Pages::used));
  impl->cache = rocksdb::NewLRUCache(options.cache_bytes);
  const auto settings = rocksdb_options(options, impl->env.get(), impl->cache);
  const auto where = database_folder(options.folder).string();
  rocksdb::DB* db = nullptr;
  const auto status = writes ? rocksdb::DB::Open(settings, where, &db)
                             : rocksdb::DB::OpenForReadOnly(settings, where, &db);
  if (!status.ok()) return std::unexpected(open_error(status, options.folder));
  impl->db.reset(db);
  impl->marked = impl->logs->mark();
  return std::shared_ptr<Database>(new Database(std::move(impl)));
}

std::shared_ptr<const DatabaseView> Database::view() {
  auto impl = std::make_unique<DatabaseView::Impl>();
  impl->db = impl_->db.get();
  impl->snapshot = impl->db->GetSnapshot();
  return std::shared_ptr<const DatabaseView>(new DatabaseView(shared_from_this(), std::move(impl)));
}

Result<std::optional<std::string>> Database::get(std::string_view key) {
  rocksdb::PinnableSlice slice;
  bool incomplete = false;
  return read(*impl_->db, read_options(Reach::disk, nullptr), key, slice, incomplete);
}

Result<void> Database::checkpoint(const std::filesystem::path& target) {
  std::error_code error;
  const auto where = std::filesystem::absolute(target, error);
  if (!std::filesystem::create_directory(where, error)) {
    if (!error) {
      return fail(Code::already_exists, fmt::format("{} exists already", where.string()),
                  "name a folder that does not exist");
    }
    return fail(Code::io, fmt::format("cannot make {}: {}", where.string(), error.message()));
  }
  rocksdb::Checkpoint* made = nullptr;
  auto status = rocksdb::Checkpoint::Create(impl_->db.get(), &made);
  const std::unique_ptr<rocksdb::Checkpoint> checkpoint(made);
  if (status.ok()) status = checkpoint->CreateCheckpoint(database_folder(where).string());
  if (!status.ok()) {
    return fail(
        status.IsNoSpace() ? Code::store_full : Code::io,
        fmt::format("cannot copy the database to {}: {}", where.string(), status.ToString()));
  }
  return write_format(where);
}

Result<void> Database::verify() {
  auto status = impl_->db->VerifyFileChecksums(read_options(Reach::disk, nullptr));
  if (status.ok()) status = impl_->db->VerifyChecksum(read_options(Reach::disk, nullptr));
  if (!status.ok()) return std::unexpected(read_error(status));
  return {};
}

Database::Size Database::size() const {
  const auto number = [this](const std::string& property) {
    std::uint64_t value = 0;
    impl_->db->GetAggregatedIntProperty(property, &value);
    return value;
  };
  return {.keys = number(rocksdb::DB::Properties::kEstimateNumKeys),
          .bytes_on_disk = number(rocksdb::DB::Properties::kTotalSstFilesSize),
          .bytes_in_memory =
              number(rocksdb::DB::Properties::kCurSizeAllMemTables) + impl_->cache->GetUsage()};
}

}  // namespace carrel::store
