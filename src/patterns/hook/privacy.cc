#include "patterns/hook/privacy.h"

#include <algorithm>

#include "patterns/hook/mask.h"

namespace carrel::hook {

Privacy privacy_of(const Point& point) {
  // Other answers are documents of their own.
  return {.record = point.record,
          .hidden = point.hidden,
          .in_answers = point.combine == Combine::chain || point.combine == Combine::merge};
}

Privacy stricter(Privacy one, const Privacy& other) {
  one.record = std::min(one.record, other.record);
  one.hidden.insert(one.hidden.end(), other.hidden.begin(), other.hidden.end());
  one.in_answers = one.in_answers || other.in_answers;
  return one;
}

std::optional<Recording> seen(const Privacy& privacy, Recording recording) {
  if (privacy.record == app::Record::none) return {};
  if (privacy.record == app::Record::failures && !recording.failed()) return {};
  const auto hide = [&](std::string& document) {
    const bool kept = !document.empty() && document.size() <= Recordings::kMostDocument;
    document = kept ? masked(privacy.hidden, document) : std::string();
  };
  hide(recording.input);
  if (privacy.in_answers) hide(recording.answer);
  return recording;
}

}  // namespace carrel::hook
