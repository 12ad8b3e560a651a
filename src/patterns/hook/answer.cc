#include "patterns/hook/answer.h"

#include <fmt/format.h>

#include "document/json_text.h"
#include "patterns/hook/fragment.h"

namespace carrel::hook {
namespace {

using async::Task;
using document::Problem;

constexpr document::JsonLimits kLimits{.bytes = kMaxDocument, .depth = kMaxDepth};

std::unexpected<Error> refused(const std::vector<Problem>& problems) {
  return fail(Code::hook_answer, document::text_of(problems));
}

}  // namespace

std::vector<Problem> check_answer(const Point& point, const Combination& combination,
                                  std::string_view answer, std::size_t room) {
  if (answer.size() > room) return {{"", "is too large, together with the other answers"}};
  if (auto problems = document::problems_in(answer, kLimits, point.output.get()); !problems.empty())
    return problems;
  if (auto problems = combination.check(answer); !problems.empty()) return problems;
  if (!combination.changes_input()) return {};
  const auto merged = combination.merged_input(answer);
  if (merged) {
    if (auto json = document::check_json(*merged, kLimits); !json)
      return {{"", "makes an input of which " + json.error().message()}};
  }
  if (!point.input) return {};
  auto problems = point.input->check(merged ? std::string_view(*merged) : answer, kLimits);
  for (Problem& problem : problems) problem.message += " (in the input that it makes)";
  return problems;
}

Result<void> Answer::look(std::string text) {
  looked_ = true;
  if (document::is_blank(text)) return {};
  if (!point_.html.empty() && document::check_json(text, kLimits))
    problems_ = clean_fragments(point_.html, text);
  if (problems_.empty()) problems_ = check_answer(point_, combination_, text, room_);
  if (!problems_.empty()) return refused(problems_);
  accepted_ = std::move(text);
  return {};
}

Result<void> Answer::settle() {
  if (looked_) return {};
  return look(std::move(text_));
}

Task<Result<std::optional<turn::HeldReply>>> Answer::before(turn::State&) {
  text_.clear();
  accepted_.clear();
  problems_.clear();
  started_ = looked_ = committing_ = false;
  co_return std::optional<turn::HeldReply>();
}

Task<Result<void>> Answer::after(turn::State&, const turn::HeldReply& reply) {
  if (reply.body.spilled()) {
    problems_ = {{"", fmt::format("has more than {} bytes", kMaxDocument)}};
    co_return refused(problems_);
  }
  CARREL_CO_TRY_VOID(look(std::string(reply.body.memory())));
  committing_ = true;
  co_return Result<void>();
}

Task<Result<void>> Answer::send(net::ReplyHead, std::string_view body) {
  started_ = true;
  text_.clear();
  co_return take_in(body);
}

Task<Result<void>> Answer::start(net::ReplyHead, std::optional<std::uint64_t>) {
  started_ = true;
  text_.clear();
  co_return Result<void>();
}

Task<Result<void>> Answer::write(std::string_view bytes) { co_return take_in(bytes); }

Result<void> Answer::take_in(std::string_view bytes) {
  if (bytes.size() > kMaxDocument - text_.size()) {
    problems_ = {{"", fmt::format("has more than {} bytes", kMaxDocument)}};
    return refused(problems_);
  }
  text_ += bytes;
  return {};
}

Task<Result<void>> Answer::finish() { co_return Result<void>(); }

}  // namespace carrel::hook
