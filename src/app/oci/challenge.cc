#include "app/oci/challenge.h"

#include <algorithm>
#include <optional>

namespace carrel::oci {
namespace {

constexpr std::size_t kMostChallenges = 8, kMostParameters = 16;

bool is_blank(char c) { return c == ' ' || c == '\t'; }

bool is_token_character(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.contains(c);
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool at_end() const { return rest_.empty(); }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_blanks() { rest_.remove_prefix(blanks(rest_)); }
  void skip_commas() {
    while (!rest_.empty() && (is_blank(rest_.front()) || rest_.front() == ','))
      rest_.remove_prefix(1);
  }
  std::string_view token() {
    const auto end = std::ranges::find_if_not(rest_, is_token_character);
    const std::string_view found(rest_.begin(), end);
    rest_.remove_prefix(found.size());
    return found;
  }
  // A name and its "=", and something after it: not the next challenge's scheme, nor a token68.
  bool at_parameter() const {
    std::string_view ahead = rest_;
    const auto end = std::ranges::find_if_not(ahead, is_token_character);
    if (end == ahead.begin()) return false;
    ahead.remove_prefix(static_cast<std::size_t>(end - ahead.begin()));
    ahead.remove_prefix(blanks(ahead));
    if (!ahead.starts_with('=')) return false;
    ahead.remove_prefix(1);
    ahead.remove_prefix(blanks(ahead));
    return !ahead.empty() && (ahead.front() == '"' || is_token_character(ahead.front()));
  }
  std::optional<std::string> value() {
    if (!take('"')) return std::string(token());
    std::string text;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c == '\\') {
        if (rest_.empty()) return std::nullopt;
        text += rest_.front();
        rest_.remove_prefix(1);
      } else {
        text += c;
      }
    }
    return std::nullopt;
  }
  void skip_token68() {
    while (!rest_.empty() && rest_.front() != ',') rest_.remove_prefix(1);
  }

 private:
  static std::size_t blanks(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, is_blank) - text.begin());
  }
  std::string_view rest_;
};

std::string lowered(std::string_view text) {
  std::string all(text);
  std::ranges::transform(all, all.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return all;
}

// False: what follows cannot be read.
bool read_parameters(Scanner& scanner, Challenge& challenge) {
  while (scanner.at_parameter()) {
    if (challenge.parameters.size() == kMostParameters) return false;
    std::string name = lowered(scanner.token());
    scanner.skip_blanks();
    scanner.take('=');
    scanner.skip_blanks();
    auto value = scanner.value();
    if (!value) return false;
    challenge.parameters.emplace_back(std::move(name), std::move(*value));
    scanner.skip_blanks();
    if (!scanner.at_end() && !scanner.take(',')) return false;
    scanner.skip_commas();
  }
  return true;
}

}  // namespace

std::string_view Challenge::parameter(std::string_view name) const {
  const auto found =
      std::ranges::find(parameters, name, &std::pair<std::string, std::string>::first);
  return found == parameters.end() ? std::string_view() : std::string_view(found->second);
}

std::vector<Challenge> parse_challenges(std::string_view header) {
  std::vector<Challenge> challenges;
  Scanner scanner(header);
  for (scanner.skip_commas(); !scanner.at_end(); scanner.skip_commas()) {
    Challenge challenge{.scheme = lowered(scanner.token())};
    if (challenge.scheme.empty() || challenges.size() == kMostChallenges) break;
    scanner.skip_blanks();
    if (!scanner.at_parameter()) {
      scanner.skip_token68();
    } else if (!read_parameters(scanner, challenge)) {
      break;
    }
    challenges.push_back(std::move(challenge));
  }
  return challenges;
}

}  // namespace carrel::oci
