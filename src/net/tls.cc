#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/handle.h"
#include "base/secret_bytes.h"
#include "net/certificates.h"
#include "net/client.h"
#include "net/server.h"
#include "net/transport.h"

namespace carrel::net {

// Owner: shared by all shards; OpenSSL counts its references with atomics.
class TlsContext {
 public:
  Handle<SSL_CTX, SSL_CTX_free> context;
  Handle<BIO_METHOD, BIO_meth_free> socket;
  std::atomic<std::shared_ptr<const Certificates>> certificates;  // of a server
};

namespace {

constexpr std::string_view kHttp11 = "\x08http/1.1";
constexpr std::size_t kRecord = 16 << 10;  // most that one TLS record holds

// OpenSSL's own socket BIO raises SIGPIPE; this one does not.
int socket_write(BIO* bio, const char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  const ssize_t n = ::send(fd, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}

int socket_read(BIO* bio, char* data, int size) {
  BIO_clear_retry_flags(bio);
  const auto fd = static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio)));
  const ssize_t n = ::recv(fd, data, static_cast<std::size_t>(size), 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(n);
}

long socket_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int choose_protocol(SSL*, const unsigned char** out, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, size, reinterpret_cast<const unsigned char*>(kHttp11.data()),
                            kHttp11.size(), offered, offered_size);
  *out = chosen;
  return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Each connection gets the certificate of the name it asks for, as it is by now.
int choose_certificate(SSL* ssl, int* alert, void* context) {
  const auto certificates = static_cast<TlsContext*>(context)->certificates.load();
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  const bool used = certificates->use(ssl, name == nullptr ? std::string_view() : name);
  if (used) return SSL_TLSEXT_ERR_OK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

class TlsTransport final : public Transport {
 public:
  TlsTransport(Fd fd, Handle<SSL, SSL_free> ssl) : Transport(std::move(fd)), ssl_(std::move(ssl)) {}
  ~TlsTransport() override { wipe(staged_); }

  IoResult handshake() override {
    ERR_clear_error();
    return outcome(SSL_do_handshake(ssl_.get()), 0);
  }

  IoResult read(std::span<char> into) override {
    ERR_clear_error();
    std::size_t n = 0;
    return outcome(SSL_read_ex(ssl_.get(), into.data(), into.size(), &n), n);
  }

  // Small parts leave in one record.
  IoResult write(std::span<const iovec> parts) override {
    ERR_clear_error();
    staged_.clear();
    for (const iovec& part : parts) {
      staged_.append(static_cast<const char*>(part.iov_base),
                     std::min(part.iov_len, kRecord - staged_.size()));
    }
    if (staged_.empty()) return {IoState::done};
    std::size_t n = 0;
    return outcome(SSL_write_ex(ssl_.get(), staged_.data(), staged_.size(), &n), n);
  }

  bool short_read_means_empty() const override { return false; }
  bool wants_read() const override { return SSL_want_read(ssl_.get()); }
  bool wants_write() const override { return SSL_want_write(ssl_.get()); }
  bool broken() const override { return broken_; }
  std::string reason() const override {
    const long verified = SSL_get_verify_result(ssl_.get());
    return verified == X509_V_OK ? "" : X509_verify_cert_error_string(verified);
  }

  void finish() override {
    ERR_clear_error();
    if (!broken_) SSL_shutdown(ssl_.get());
    Transport::finish();
  }

 private:
  IoResult outcome(int result, std::size_t bytes) {
    if (result > 0) return {IoState::done, bytes};
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
      return {IoState::would_block};
    broken_ = error != SSL_ERROR_ZERO_RETURN;
    return {IoState::closed};
  }

  Handle<SSL, SSL_free> ssl_;
  std::string staged_;
  bool broken_ = false;
};

std::string last_reason() {
  const char* reason = ERR_reason_error_string(ERR_get_error());
  return reason == nullptr ? "unknown reason" : reason;
}

std::unexpected<Error> refuse(std::string_view what, const std::string& file, const char* help) {
  return fail(Code::invalid_config,
              "cannot use the TLS " + std::string(what) + " " + file + ": " + last_reason(), help);
}

Handle<BIO_METHOD, BIO_meth_free> make_method() {
  Handle<BIO_METHOD, BIO_meth_free> method(
      BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "carrel socket"));
  if (!method) return method;
  BIO_meth_set_write(method.get(), socket_write);
  BIO_meth_set_read(method.get(), socket_read);
  BIO_meth_set_ctrl(method.get(), socket_control);
  return method;
}

}  // namespace

namespace {

Handle<SSL, SSL_free> make_session(const Fd& fd, const TlsContext& context) {
  Handle<SSL, SSL_free> ssl(SSL_new(context.context.get()));
  BIO* bio = BIO_new(context.socket.get());
  if (!ssl || bio == nullptr) {
    BIO_free(bio);
    return nullptr;
  }
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(fd.get())));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl.get(), bio, bio);
  return ssl;
}

Result<std::shared_ptr<TlsContext>> make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  auto tls = std::make_shared<TlsContext>();
  tls->context.reset(SSL_CTX_new(method));
  tls->socket = make_method();
  if (!tls->context || !tls->socket)
    return fail(Code::unavailable, "TLS cannot be set up: " + last_reason());
  SSL_CTX* context = tls->context.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
  return tls;
}

}  // namespace

std::unique_ptr<Transport> make_tls(Fd fd, const TlsContext& context) {
  auto ssl = make_session(fd, context);
  if (!ssl) return nullptr;
  SSL_set_accept_state(ssl.get());
  return std::make_unique<TlsTransport>(std::move(fd), std::move(ssl));
}

std::unique_ptr<Transport> make_client_tls(Fd fd, const TlsContext& context,
                                           const std::string& host) {
  auto ssl = make_session(fd, context);
  if (!ssl) return nullptr;
  SSL_set_connect_state(ssl.get());
  SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // An address is no server name (RFC 6066), and is looked for among the certificate's addresses.
  const bool named = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), host.c_str()) != 1;
  if (named && (SSL_set1_host(ssl.get(), host.c_str()) != 1 ||
                SSL_set_tlsext_host_name(ssl.get(), host.c_str()) != 1)) {
    return nullptr;
  }
  return std::make_unique<TlsTransport>(std::move(fd), std::move(ssl));
}

Result<std::shared_ptr<TlsContext>> load_client_tls(const std::string& roots) {
  CARREL_TRY(auto tls, make_context(TLS_client_method()));
  SSL_CTX* context = tls->context.get();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(kHttp11.data()),
                          kHttp11.size());
  if (roots.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) == 1) return tls;
    return fail(Code::unavailable, "the system's certificates cannot be read: " + last_reason());
  }
  if (SSL_CTX_load_verify_locations(context, roots.c_str(), nullptr) != 1) {
    return refuse("roots", roots, "give a PEM file with the certificates to trust");
  }
  return tls;
}

Result<std::shared_ptr<TlsContext>> load_tls(const TlsFiles& files) {
  CARREL_TRY(auto tls, make_context(TLS_server_method()));
  SSL_CTX* context = tls->context.get();
  SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
  SSL_CTX_set_tlsext_servername_arg(context, tls.get());
  auto problems = reload_tls(*tls, files);
  if (!problems.empty()) return std::unexpected(std::move(problems.front()));
  return tls;
}

std::optional<CertificateInUse> certificate_for(const TlsContext& context, std::string_view name) {
  return context.certificates.load()->in_use(name);
}

std::vector<Error> reload_tls(TlsContext& context, const TlsFiles& files) {
  const auto before = context.certificates.load();
  auto loaded = Certificates::load(files, before.get());
  context.certificates = std::move(loaded.certificates);
  return std::move(loaded.problems);
}

}  // namespace carrel::net
