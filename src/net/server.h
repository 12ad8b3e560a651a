// The HTTP/1.1 server of one shard: accepts on a socket of its own and hands requests to a handler.
//
// It promises the handler well-formed requests and bounded bodies, and the outside that no sequence
// of bytes or silence holds more than one connection's buffers. Smuggling shapes are refused with
// 400 and a close. The handler's task is destroyed when its client leaves; closing its side before
// the reply has begun counts. Owner: the composition root. Thread: its shard. Stops: `drain()`
// refuses new connections, ends idle ones, lets requests in progress finish within the bound, then
// closes the rest.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "async/shard.h"
#include "net/http.h"
#include "observe/metrics.h"

namespace carrel::net {

struct ServerLimits {
  std::size_t header_bytes = 32 << 10;  // request line and fields: 431, or 414 for the line alone
  std::size_t header_count = 100;
  std::uint64_t body_bytes = 32 << 20;  // 413
  std::size_t connections = 10'000;     // a shard; beyond: accept waits
  std::chrono::milliseconds header_time{
      10'000};  // from the first byte to the last of the fields: 408
  std::chrono::milliseconds body_pause{30'000};   // without a byte of the body: 408
  std::chrono::milliseconds write_pause{30'000};  // without the client taking a byte: close
  std::chrono::milliseconds idle_time{75'000};    // keep-alive
  std::size_t read_ahead = 64 << 10;  // body bytes buffered before the handler reads them
};

struct TlsFiles {
  // The certificate for whoever asks, and its key. Empty: names without one of their own cannot be
  // connected to.
  std::string certificate;  // PEM chain
  std::string key;          // PEM
  // Folders of certificates for names of their own: NAME.pem with its key in it or in NAME.key; it
  // is used for the names that the certificate is for. The first folder that has a name counts.
  std::vector<std::string> folders;
};

// Makes an access log line of each finished request. Called on the shard.
struct AccessRecord {
  const Request& request;
  int status;
  std::uint64_t id, bytes_in, bytes_out;
  std::chrono::nanoseconds duration;
};
class AccessLog {
 public:
  virtual ~AccessLog() = default;
  virtual void write(const AccessRecord& record) = 0;
};

// A shared TLS configuration: made once, used by all shards. Errors: invalid_config naming the
// first file that cannot be used.
class TlsContext;
Result<std::shared_ptr<TlsContext>> load_tls(const TlsFiles& files);

// From the next connection on, the certificates as they are by now. Of a file that cannot be used
// what was read before stays. Gives what is wrong, with the file's name each. One thread at a time.
std::vector<Error> reload_tls(TlsContext& context, const TlsFiles& files);

// The certificate that a connection for the name gets as of now. Nothing: none is for it. Any
// thread.
struct CertificateInUse {
  std::string file;  // of a folder; empty: the one for whoever asks
  WallTime until;
};
std::optional<CertificateInUse> certificate_for(const TlsContext& context, std::string_view name);

// What the files look like from outside: other than before when one has changed. Blocks.
std::string look_of(const TlsFiles& files);

class UnixListener;

// Who else may listen on the port. The kernel spreads its connections over all that share it.
enum class PortUse : unsigned char {
  alone,
  first,    // of one process's servers that share it: nobody may have it yet
  another,  // of them
};

class Server {
 public:
  struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;                // 0: any; read back with `port()`
    const UnixListener* socket = nullptr;  // in place of address and port; outlives the call only
    PortUse use = PortUse::alone;
    ServerLimits limits;
    std::shared_ptr<TlsContext> tls;  // null: plain
    AccessLog* access_log = nullptr;  // null: none
  };
  // Errors: unavailable when the address cannot be bound.
  static Result<std::unique_ptr<Server>> listen(async::Shard& shard, Handler& handler,
                                                Options options);
  ~Server();

  std::uint16_t port() const;
  // Open now. Any thread.
  const observe::Gauge& connections() const;
  void start();
  async::Task<void> drain(std::chrono::milliseconds bound);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace carrel::net
