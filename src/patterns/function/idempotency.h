// Idempotency: a client that sends the same request again gets the first one's reply.
//
// A request to a gated function with an Idempotency-Key
// (draft-ietf-httpapi-idempotency-key-header), or one that carries a CloudEvent in its headers (its
// binary mode: ce-source and ce-id), has its reply stored in the same commit as its effects, for 24
// hours. The same key again is answered from there, with `idempotency-replayed: true`; with another
// request it is refused (422). Two that arrive together: one is kept, the other loses the conflict
// and finds the reply.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"
#include "turn/interceptor.h"
#include "turn/turn.h"

namespace carrel::function {

inline constexpr std::size_t kMaxIdempotencyKey = 255;  // bytes

// The request's key, if it has one that counts: it may change something, and the module may write.
// An event's is no other event's and no client's, and holds for who sent it alone: with another
// Authorization it is another one. Errors: bad_request.
std::optional<Result<std::string>> idempotency_key(const net::Request& request,
                                                   const turn::ModuleSetup& module);

// Owner: the handler's frame; outlives the turn. Thread: its shard.
class Idempotency final : public turn::Interceptor {
 public:
  // `module` scopes the key. `request` outlives it.
  Idempotency(const ModuleName& module, std::string_view key, const net::Request& request);

  // The turn's name to the outside: the same for every request with this key.
  std::string turn_key() const { return name_; }

  async::Task<Result<std::optional<turn::HeldReply>>> before(turn::State& state) override;
  async::Task<Result<void>> after(turn::State& state, const turn::HeldReply& reply) override;

 private:
  std::string name_;  // of the record
  const net::Request& request_;
  std::string fingerprint_;  // of the request: who asks for what; empty: not known yet
};

}  // namespace carrel::function
