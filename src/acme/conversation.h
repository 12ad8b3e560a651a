// A conversation with an ACME server (RFC 8555): from its directory to a certificate.
//
// Every request is signed with the account's key and the server's latest nonce; a nonce that it no
// longer takes is replaced. One order at a time.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "acme/challenges.h"
#include "acme/jws.h"
#include "acme/messages.h"
#include "async/shard.h"
#include "net/caller.h"

namespace carrel::acme {

enum class Terms { not_agreed, agreed };

struct Server {
  net::Url directory;
  std::string contact;  // an address of mail; empty: none is given
  Terms terms = Terms::not_agreed;
};

// Owner and thread: one shard's. Stops: destroying a call's task ends it; the challenge it had open
// goes with it.
class Conversation {
 public:
  Conversation(async::Shard& shard, net::Caller& caller, Challenges& challenges, Server server,
               Key account)
      : shard_(shard),
        caller_(caller),
        challenges_(challenges),
        server_(std::move(server)),
        account_(std::move(account)) {}

  // A certificate with its chain (PEM) for one name. Errors: those of Caller::send; unsupported;
  // permission_denied (its terms are not agreed to); egress_failed with what the server says went
  // wrong; egress_bad_response; egress_timeout.
  async::Task<Result<std::string>> order(std::string host, Key key);

  // How long the server asked to be left alone by its latest answer.
  std::chrono::seconds retry_after() const { return retry_after_; }

 private:
  struct Answer {
    int status = 0;
    std::string body, location;
  };
  async::Task<Result<Answer>> send(net::OutgoingRequest request, std::size_t most);
  // `payload`: empty to read. Says who speaks by the key itself until the account is known.
  async::Task<Result<Answer>> post(net::Url url, std::string payload,
                                   std::size_t most = kMostMessage);
  async::Task<Result<void>> fetch_nonce();
  async::Task<Result<void>> sign_in();
  async::Task<Result<std::string>> order_one(std::string host, Key key);
  async::Task<Result<void>> prove(net::Url authorization);
  async::Task<Result<Order>> finish(net::Url order, Order state, std::string request);
  async::Task<void> pause(int round);

  async::Shard& shard_;
  net::Caller& caller_;
  Challenges& challenges_;
  const Server server_;
  const Key account_;
  std::optional<Directory> directory_;
  std::string account_url_, nonce_;
  std::chrono::seconds retry_after_{};
};

}  // namespace carrel::acme
