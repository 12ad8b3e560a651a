// The certificates of a server: one for whoever asks, and others for names of their own.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/server.h"

struct ssl_ctx_st;
struct ssl_st;

namespace carrel::net {

// Immutable once loaded. Thread-safe.
class Certificates {
 public:
  struct Loaded;
  // Reads the files: blocks. Of a file that cannot be used, what `before` (null: nothing) has of it
  // stays.
  static Loaded load(const TlsFiles& files, const Certificates* before);

  // Gives a connection the certificate for `name`: one for that very name, else one for all names
  // of its domain ("*.example.com"), else the one for whoever asks. False: the connection cannot
  // go on.
  bool use(ssl_st* connection, std::string_view name) const;
  // What `use` gives for the name, if it is for it.
  std::optional<CertificateInUse> in_use(std::string_view name) const;

 private:
  using Context = std::shared_ptr<ssl_ctx_st>;
  using ByFile = std::map<std::string, Context>;
  static Result<Context> load_pair(const std::string& certificate, const std::string& key);
  void load_folder(const std::string& folder, const Certificates* before,
                   std::vector<Error>& problems);
  void name_those_in(const std::string& folder);
  const ByFile::value_type* find(std::string_view name) const;  // null: it has none of its own

  Context otherwise_;
  ByFile by_file_;                                                         // those of folders
  std::map<std::string, const ByFile::value_type*, std::less<>> by_name_;  // lower-case
};

struct Certificates::Loaded {
  std::shared_ptr<const Certificates> certificates;
  std::vector<Error> problems;  // invalid_config, naming the file each
};

}  // namespace carrel::net
