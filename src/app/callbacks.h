// Functions of the application that a server calls over HTTPS, as a manifest declares them.
//
//   [[callback]]
//   function = "stock.level"
//   url = "https://shop.example.com/carrel/stock"
//   secret = "SHOP_KEY"
//
// Read once, as part of its manifest; any thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/table_reader.h"
#include "base/clock.h"
#include "document/schema.h"
#include "net/url.h"

namespace carrel::app {

inline constexpr std::size_t kMostCallbacks = 64;  // of an app

struct Callback {
  std::string function;                           // what guests open below /app
  net::Url url;                                   // https, or http to this machine
  std::string secret;                             // of the app's tenant, by name: signs the calls
  std::shared_ptr<const document::Schema> input;  // null: any JSON
  Nanos deadline = std::chrono::seconds(1);       // to the end of the answer
  unsigned rate = 1000;                           // calls a second, of each binding
  std::vector<std::filesystem::path> files = {};  // that it names
};

// "cart.discounts": 1 to 64 of a-z, 0-9, '-', '_' and '.', first and last a letter or a digit.
bool is_point_name(std::string_view text);

// A problem at `key` if it is no such name.
void check_function_name(TableReader& table, std::string_view key, const std::string& name);

// One [[callback]] of a manifest in `folder`. Problems are added to `problems`; what is read in
// spite of them is not used.
Callback read_callback(const TomlValue& value, const std::filesystem::path& folder,
                       Problems& problems);

}  // namespace carrel::app
