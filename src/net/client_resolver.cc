#include "net/client_resolver.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <coroutine>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/handle.h"

namespace carrel::net {
namespace {

using Answer = Result<std::vector<IpAddress>>;
constexpr std::size_t kMaxAddresses = 16;  // that are tried; a host with more is not better off

std::optional<IpAddress> address_of(const addrinfo& info) {
  IpAddress address;
  if (info.ai_family == AF_INET) {
    const auto* socket = reinterpret_cast<const sockaddr_in*>(info.ai_addr);
    std::memcpy(address.bytes.data(), &socket->sin_addr, 4);
    return address;
  }
  if (info.ai_family != AF_INET6) return std::nullopt;
  address.v6 = true;
  const auto* socket = reinterpret_cast<const sockaddr_in6*>(info.ai_addr);
  std::memcpy(address.bytes.data(), &socket->sin6_addr, 16);
  return address;
}

// Somebody who knows all names has said so; else nobody was to be asked.
bool is_unknown(int failure) {
  return failure == EAI_NONAME || failure == EAI_NODATA || failure == EAI_ADDRFAMILY;
}

Answer ask_system(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* first = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), nullptr, &hints, &first);
  if (failed != 0) {
    return fail(is_unknown(failed) ? Code::egress_name : Code::egress_failed,
                fmt::format("cannot resolve {}: {}", host, ::gai_strerror(failed)));
  }
  const Handle<addrinfo, freeaddrinfo> owner(first);
  std::vector<IpAddress> addresses;
  for (const addrinfo* i = first; i != nullptr && addresses.size() < kMaxAddresses;
       i = i->ai_next) {
    const auto address = address_of(*i);
    if (address && std::ranges::find(addresses, *address) == addresses.end())
      addresses.push_back(*address);
  }
  if (addresses.empty()) {
    return fail(Code::egress_name, fmt::format("{} has no address", host));
  }
  return addresses;
}

// A question and who waits for its answer. Touched by the shard only.
struct Question {
  std::coroutine_handle<> waiter = nullptr;
  std::optional<Answer> answer;
};

}  // namespace

// What a thread knows of its resolver, which may be gone by the time it has an answer.
struct SystemResolver::Link {
  std::mutex mutex;
  async::Shard* shard;
  int questions = 0;  // the shard's

  explicit Link(async::Shard* s) : shard(s) {}

  static void run(std::shared_ptr<Link> link, std::shared_ptr<Question> question,
                  const std::string& host) {
    Answer answer = ask_system(host);
    Link& self = *link;
    const std::lock_guard lock(self.mutex);
    if (self.shard == nullptr) return;
    self.shard->submit([link = std::move(link), question = std::move(question),
                        answer = std::move(answer)]() mutable {
      --link->questions;
      question->answer = std::move(answer);
      if (question->waiter) question->waiter.resume();
    });
  }
};

SystemResolver::SystemResolver(async::Shard& shard) : link_(std::make_shared<Link>(&shard)) {}

SystemResolver::~SystemResolver() {
  const std::lock_guard lock(link_->mutex);
  link_->shard = nullptr;
}

async::Task<Answer> SystemResolver::resolve(std::string host) {
  struct Awaiter {
    std::shared_ptr<Question> question;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> caller) const noexcept { question->waiter = caller; }
    void await_resume() const noexcept {}
    ~Awaiter() { question->waiter = nullptr; }
  };
  if (link_->questions >= kMaxQuestions) {
    co_return fail(Code::unavailable, "too many names are being resolved");
  }
  auto question = std::make_shared<Question>();
  try {
    std::thread(Link::run, link_, question, std::move(host)).detach();
  } catch (const std::system_error&) {
    co_return fail(Code::unavailable, "there is no room for a thread that resolves a name");
  }
  ++link_->questions;
  Awaiter awaiter{question};
  co_await awaiter;
  co_return std::move(*question->answer);
}

}  // namespace carrel::net
