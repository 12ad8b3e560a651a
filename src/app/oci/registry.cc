#include "app/oci/registry.h"

#include <fmt/format.h>

#include <array>

#include "base/digest.h"
#include "base/percent.h"
#include "capability/http/redirect.h"

namespace carrel::oci {
namespace {

constexpr std::size_t kPiece = 64 << 10;
constexpr std::uint64_t kMostAnswer = 1 << 20;

std::string header_of(const net::ReplyHead& head, std::string_view name) {
  for (const auto& [each, value] : head.headers) {
    if (net::same_name(each, name)) return value;
  }
  return {};
}

std::unexpected<Error> lies(const Session& session, std::string_view what,
                            std::string_view digest) {
  return fail(
      Code::digest_mismatch,
      fmt::format("{} sent for {} {} what is not that", session.reference().registry, what, digest),
      "what it sent was thrown away; ask who runs the registry");
}

async::Task<Result<void>> receive(Session* session, net::IncomingResponse* response,
                                  const Descriptor* blob, Sink* sink) {
  async::ByteSource& body = response->body();
  std::array<char, kPiece> piece;
  Sha256 sum;
  std::uint64_t size = 0;
  while (!body.finished()) {
    const std::size_t n = body.read(std::as_writable_bytes(std::span(piece)));
    size += n;
    if (size > blob->size) co_return lies(*session, "the blob", blob->digest);
    sum.add({piece.data(), n});
    CARREL_CO_TRY_VOID(sink->write({piece.data(), n}));
    if (n > 0 || body.finished()) continue;
    CARREL_CO_TRY_VOID(co_await session->wait(response));
  }
  if (size != blob->size || "sha256:" + sum.hex() != blob->digest) {
    co_return lies(*session, "the blob", blob->digest);
  }
  co_return Result<void>();
}

async::Task<Result<bool>> has_blob(Session* session, std::string digest) {
  net::OutgoingRequest request{.method = "HEAD", .url = session->url("blobs/" + digest)};
  CARREL_CO_TRY(const Response response, co_await session->send(std::move(request), kMostAnswer));
  co_return response->head().status == 200;
}

// Where the bytes are to be put: the registry's word, with the digest added to its query.
async::Task<Result<net::Url>> begin_upload(Session* session, std::string digest) {
  const net::OutgoingRequest request{.method = "POST", .url = session->url("blobs/uploads/")};
  CARREL_CO_TRY(Response response, co_await session->send(request, kMostAnswer));
  if (response->head().status != 202) {
    co_return std::unexpected(co_await session->refusal(std::move(response)));
  }
  const std::string location = header_of(response->head(), "location");
  auto next = capability::http::follow(request, 307, location);
  if (location.empty() || !next) {
    co_return fail(Code::registry_failed, fmt::format("{} does not say where a blob is to be put",
                                                      session->reference().registry));
  }
  if (request.url.scheme == "https" && next->url.scheme != "https") {
    co_return fail(Code::registry_failed, fmt::format("{} wants a blob put where there is no https",
                                                      session->reference().registry));
  }
  net::Url url = std::move(next->url);
  url.target += (url.target.contains('?') ? "&digest=" : "?digest=") + percent_encode(digest);
  co_return url;
}

}  // namespace

async::Task<Result<Fetched>> fetch_document(Session* session, std::string version) {
  const std::string accepted =
      fmt::format("{}, {}, {}, {}", kOciManifest, kOciIndex, kDockerManifest, kDockerIndex);
  net::OutgoingRequest request{.url = session->url("manifests/" + version),
                               .headers = {{"accept", accepted}}};
  CARREL_CO_TRY(Response response, co_await session->send(std::move(request), kMaxDocument));
  const net::ReplyHead& head = response->head();
  if (head.status != 200) {
    co_return std::unexpected(co_await session->refusal(std::move(response)));
  }
  const std::string said = header_of(head, "docker-content-digest");
  Fetched fetched{.media_type = header_of(head, "content-type")};
  CARREL_CO_TRY(fetched.bytes, co_await session->read(response.get()));
  fetched.digest = digest_of(fetched.bytes);
  if (is_digest(version) && fetched.digest != version) {
    co_return lies(*session, "the manifest", version);
  }
  if (is_digest(said) && fetched.digest != said) co_return lies(*session, "the manifest", said);
  co_return fetched;
}

async::Task<Result<void>> fetch_blob(Session* session, Descriptor blob, Sink* into) {
  net::OutgoingRequest request{.url = session->url("blobs/" + blob.digest),
                               .headers = {{"accept", "*/*"}}};
  // One byte more, so that what is too long is seen as such.
  CARREL_CO_TRY(Response response, co_await session->send(std::move(request), blob.size + 1));
  if (response->head().status != 200) {
    co_return std::unexpected(co_await session->refusal(std::move(response)));
  }
  const std::string length = header_of(response->head(), "content-length");
  if (!length.empty() && length != std::to_string(blob.size)) {
    co_return lies(*session, "the blob", blob.digest);
  }
  co_return co_await receive(session, response.get(), &blob, into);
}

async::Task<Result<std::string>> fetch_small_blob(Session* session, Descriptor blob,
                                                  std::size_t most) {
  if (blob.size > most) {
    co_return fail(Code::registry_failed, fmt::format("the blob {} has {} bytes; {} are allowed",
                                                      blob.digest, blob.size, most));
  }
  MemorySink text;
  CARREL_CO_TRY_VOID(co_await fetch_blob(session, std::move(blob), &text));
  co_return text.take();
}

async::Task<Result<void>> put_blob(Session* session, std::string bytes) {
  const std::string digest = digest_of(bytes);
  CARREL_CO_TRY(const bool there, co_await has_blob(session, digest));
  if (there) co_return Result<void>();
  CARREL_CO_TRY(net::Url url, co_await begin_upload(session, digest));
  net::OutgoingRequest request{.method = "PUT",
                               .url = std::move(url),
                               .headers = {{"content-type", "application/octet-stream"}},
                               .body = std::move(bytes)};
  CARREL_CO_TRY(Response response, co_await session->send(std::move(request), kMostAnswer));
  if (response->head().status == 201) co_return Result<void>();
  co_return std::unexpected(co_await session->refusal(std::move(response)));
}

async::Task<Result<std::string>> put_document(Session* session, std::string bytes,
                                              std::string media_type, std::string version) {
  const std::string digest = digest_of(bytes);
  net::OutgoingRequest request{.method = "PUT",
                               .url = session->url("manifests/" + version),
                               .headers = {{"content-type", media_type}},
                               .body = std::move(bytes)};
  CARREL_CO_TRY(Response response, co_await session->send(std::move(request), kMostAnswer));
  if (response->head().status != 201) {
    co_return std::unexpected(co_await session->refusal(std::move(response)));
  }
  const std::string said = header_of(response->head(), "docker-content-digest");
  if (is_digest(said) && said != digest) co_return lies(*session, "the manifest", digest);
  co_return digest;
}

}  // namespace carrel::oci
