// What `carrel store` does: an action each, in a file of its own or with its kin.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"

namespace carrel::cli {

enum class Form : unsigned char { text, json };

// As they were typed.
struct StoreArguments {
  std::string action;
  std::string path;  // a folder; empty: none was named
  std::string state;
  std::string file;      // export, import; empty: the standard streams
  std::string app;       // export; empty: all
  std::string existing;  // import: refuse, skip or replace
  Form form = Form::text;
};

// Exit statuses. Errors: what kept them from being done.
Result<int> check_store(const StoreArguments& arguments);
Result<int> back_up_store(const StoreArguments& arguments);
Result<int> restore_store(const StoreArguments& arguments);
Result<int> export_store(const StoreArguments& arguments);
Result<int> import_store(const StoreArguments& arguments);

// The store's folder of the state folder.
Result<std::filesystem::path> store_folder(const StoreArguments& arguments);
// The folder that was named, else the store's.
Result<std::filesystem::path> folder_to_read(const StoreArguments& arguments);

}  // namespace carrel::cli
