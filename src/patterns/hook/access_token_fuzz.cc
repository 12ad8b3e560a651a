// Whatever a token server answers gives a token that may stand in a header, or none.
#include <cstdlib>
#include <string_view>

#include "patterns/hook/access_token.h"

using namespace carrel;

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto answer = hook::parse_token_answer(text);
  if (answer) {
    if (answer->token.size() == 0 || answer->token.size() > hook::kMostToken) std::abort();
    for (const char c : answer->token.view()) {
      if (c <= ' ' || c > '~') std::abort();
    }
    if (answer->good_for < Nanos()) std::abort();
  }
  for (const char c : hook::token_error(text)) {
    if (c != '_' && (c < 'a' || c > 'z')) std::abort();
  }
  return 0;
}
