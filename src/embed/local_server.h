// A server on this machine that answers for an application, by a Unix socket: its modules have
// state there, and none of the application's memory.
//
// Owner: the application. Thread-safe: a call uses the connections of the lane that it is on.
#pragma once

#include <string>
#include <string_view>

#include "base/secret_bytes.h"
#include "embed/lanes.h"
#include "embed/reply.h"

namespace carrel::embed {

struct CallWanted;

class LocalServer {
 public:
  struct Place {
    std::string socket;  // path
    std::string app;     // its host name, where the server has several with hook points
    SecretBytes token;
  };
  explicit LocalServer(Place place) : place_(std::move(place)) {}

  // All of them block the calling thread. Errors: unavailable, late; what the server says.
  Outcome<Reply> call(Lane& lane, const CallWanted& wanted) const;
  Outcome<Reply> emit(Lane& lane, const CallWanted& wanted) const;
  Outcome<Reply> points(Lane& lane) const;

 private:
  struct Asked;
  struct Answered;
  Outcome<Answered> ask(Lane& lane, Asked asked) const;
  Outcome<Reply> ask_whole(Lane& lane, Asked asked) const;

  Place place_;
};

}  // namespace carrel::embed
