// The certificates of a server: one for whoever asks, and others for names of their own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "net/server.h"

struct ssl_ctx_st;
struct ssl_st;

namespace carrel::net {

// Immutable once loaded. Thread-safe.
class Certificates {
 public:
  // Reads the files: blocks. Errors: invalid_config naming the file that cannot be used.
  static Result<std::shared_ptr<const Certificates>> load(const TlsFiles& files);

  // Gives a connection the certificate for `name`: one for that very name, else one for all names
  // of its domain ("*.example.com"), else the one for whoever asks. False: the connection cannot
  // go on.
  bool use(ssl_st* connection, std::string_view name) const;

 private:
  using Context = std::shared_ptr<ssl_ctx_st>;
  static Result<Context> load_pair(const std::string& certificate, const std::string& key);
  Result<void> load_folder(const std::string& folder);
  ssl_ctx_st* find(std::string_view name) const;

  Context otherwise_;
  std::map<std::string, Context, std::less<>> by_name_;  // lower-case
};

}  // namespace carrel::net
