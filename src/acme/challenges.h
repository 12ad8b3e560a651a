// The challenges that are open: what is answered at /.well-known/acme-challenge/TOKEN.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace carrel::acme {

inline constexpr std::string_view kChallengePath = "/.well-known/acme-challenge/";

// Owner: the composition root; outlives the shards. Thread-safe.
class Challenges {
 public:
  // An open challenge; it ends when this goes.
  class Open {
   public:
    Open(Challenges& all, std::string token, std::string answer)
        : all_(all), token_(std::move(token)) {
      const std::lock_guard lock(all_.mutex_);
      all_.answers_[token_] = std::move(answer);
    }
    ~Open() {
      const std::lock_guard lock(all_.mutex_);
      all_.answers_.erase(token_);
    }
    Open(const Open&) = delete;
    Open& operator=(const Open&) = delete;

   private:
    Challenges& all_;
    const std::string token_;
  };

  // Nothing: none of ours.
  std::optional<std::string> answer(std::string_view token) const {
    const std::lock_guard lock(mutex_);
    const auto found = answers_.find(token);
    return found == answers_.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> answers_;
};

}  // namespace carrel::acme
