// How the answers of several modules at one point become the point's answer.
//
//   first     the first that answers; the others are not asked
//   all       an array of all answers, in order
//   chain     each is given the last one's answer, the first the input; the last answer
//   merge     each answer is a JSON merge patch (RFC 7396) of the input; the input with all patches
//   any-deny  each answer is a verdict, {"allow": false, "reason": "..."}; allowed if none denies
//
// A module may have no answer ("passed"): it is as if it were not there.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/hooks.h"
#include "base/result.h"
#include "document/schema.h"

namespace carrel::hook {

using app::Combine;

// Pure; value type. Texts are JSON that has been checked.
class Combination {
 public:
  Combination(Combine how, std::string input) : how_(how), input_(std::move(input)) {}

  // What the next module is given.
  const std::string& input() const { return input_; }
  // No other module's answer counts any more.
  bool decided() const { return how_ == Combine::first && answered_; }

  // What is wrong with an answer, besides its schema; nothing: it can be accepted.
  std::vector<document::Problem> check(std::string_view answer) const;
  // Whether an answer changes the input: what it makes of it must still be an input of the point.
  bool changes_input() const { return how_ == Combine::chain || how_ == Combine::merge; }
  // What it makes of it; nothing: it is the answer itself. Preconditions: it changes the input, and
  // `check` found nothing.
  std::optional<std::string> merged_input(std::string_view answer) const;

  // Precondition: `check` found nothing. `binding`: whose answer it is.
  void accept(std::string_view binding, std::string answer);

  // The point's answer, once. Nobody answered: null, [], the input, or {"allow": true}.
  std::string take_output();

 private:
  struct Denial {
    std::string binding, reason;
  };
  Combine how_;
  std::string input_;   // with chain and merge: what it has become
  std::string output_;  // of first and all
  std::vector<Denial> denials_;
  bool answered_ = false;
};

}  // namespace carrel::hook
