// Whatever an ACME server sends: what is read of it holds together, and what is shown is printable.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "acme/messages.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carrel::acme;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const carrel::net::Url from{.scheme = "https", .host = "acme.example", .port = 443};
  if (const auto directory = read_directory(text, from)) {
    require(directory->new_nonce.scheme == "https" && directory->new_account.scheme == "https" &&
            directory->new_order.scheme == "https" && printable(directory->terms));
  }
  if (const auto order = read_order(text, from)) {
    require(!order->authorizations.empty() && printable(order->problem));
    for (const auto& url : order->authorizations) require(url.scheme == "https");
  }
  if (const auto authorization = read_authorization(text, from)) {
    require(!authorization->challenge || !authorization->token.empty());
    require(authorization->token.find('/') == std::string::npos);
    require(printable(authorization->problem));
  }
  const auto problem = read_problem(text);
  require(printable(problem.type) && printable(problem.text));
  return 0;
}
