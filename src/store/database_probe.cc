// Whether the folder takes writes again, after one has failed.
#include "store/database_folder.h"
#include "store/database_impl.h"

namespace carrel::store {
namespace {

constexpr std::size_t kProbeBytes = 1 << 20;  // to open a database takes some room

rocksdb::IOStatus write_and_sync(rocksdb::FileSystem& system, const std::string& name) {
  std::unique_ptr<rocksdb::FSWritableFile> file;
  auto status = system.NewWritableFile(name, {}, &file, nullptr);
  if (status.ok()) status = file->Append(std::string(kProbeBytes, '\0'), {}, nullptr);
  if (status.ok()) status = file->Flush({}, nullptr);
  if (status.ok()) status = file->Sync({}, nullptr);
  if (status.ok()) status = file->Close({}, nullptr);
  return status;
}

}  // namespace

Result<void> Database::probe(const DatabaseOptions& options) {
  const auto system = options.files ? options.files->system : rocksdb::FileSystem::Default();
  const auto name = (options.folder / "probe").string();
  const auto status = write_and_sync(*system, name);
  system->DeleteFile(name, {}, nullptr).PermitUncheckedError();
  if (status.ok()) return {};
  return fail(status.IsNoSpace() ? Code::store_full : Code::store_failed,
              "the store's folder does not take writes: " + status.ToString());
}

}  // namespace carrel::store
