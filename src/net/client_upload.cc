#include "net/client_upload.h"

#include <fmt/format.h>

#include <iterator>

#include "async/first_of.h"
#include "async/pause.h"
#include "base/secret_bytes.h"
#include "net/client_message.h"

namespace carrel::net {
namespace {

constexpr std::size_t kPiece = 16 << 10;
constexpr std::size_t kMostInOneGo = 1 << 20;  // before others have their turn

async::Task<void> wait_for(async::ByteSource* source, Result<void>* result) {
  *result = co_await source->wait();
}

// Until there is more to send, or the peer says something.
async::Task<Result<void>> wait_for_either(ClientSocket* socket, const Upload* upload) {
  Result<void> waited;
  const int ended = co_await async::first_of(wait_for(upload->body.source, &waited),
                                             socket->until_heard(upload->until));
  if (ended == 0) co_return waited;
  if (std::chrono::steady_clock::now() < upload->until) co_return Result<void>();
  co_return fail(Code::egress_timeout, "the call took too long");
}

// As it is sent. There may be secrets in it.
struct Piece {
  std::string text;

  Piece(std::string_view bytes, const StreamedBody& body) {
    constexpr std::size_t kFraming = 64;
    text.reserve(kFraming + bytes.size());
    if (body.length) {
      text += bytes;
    } else {
      fmt::format_to(std::back_inserter(text), "{:x}\r\n", bytes.size());
      text.append(bytes).append("\r\n");
    }
  }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  ~Piece() { wipe(text); }
};

std::unexpected<Error> wrong_length(std::uint64_t said) {
  return fail(Code::invalid_argument,
              fmt::format("the body has not the {} bytes it was said to have", said));
}

}  // namespace

async::Task<Result<bool>> send_body(async::Shard* shard, ClientSocket* socket, Upload upload) {
  async::ByteSource& source = *upload.body.source;
  SecretBytes bytes(kPiece);
  std::uint64_t sent = 0;
  std::size_t in_one_go = 0;
  while (true) {
    if (socket->has_decided(upload.most_heard)) co_return false;
    const std::size_t n = source.read(bytes.room());
    if (n == 0) {
      if (source.finished()) break;
      CARREL_CO_TRY_VOID(co_await wait_for_either(socket, &upload));
      continue;
    }
    sent += n;
    if (sent > upload.body.length.value_or(sent)) co_return wrong_length(*upload.body.length);
    const Piece piece(bytes.view().substr(0, n), upload.body);
    CARREL_CO_TRY(const bool taken,
                  co_await socket->send(&piece.text, upload.until, upload.most_heard));
    if (!taken) co_return false;
    in_one_go += n;
    if (in_one_go < kMostInOneGo) continue;
    in_one_go = 0;
    co_await async::pause(*shard);
  }
  if (sent < upload.body.length.value_or(0)) co_return wrong_length(*upload.body.length);
  if (upload.body.length) co_return true;
  const Fields none;
  CARREL_CO_TRY(std::string end,
                write_last_chunk(upload.body.trailers == nullptr ? none : *upload.body.trailers));
  co_return co_await socket->send(&end, upload.until, upload.most_heard);
}

}  // namespace carrel::net
