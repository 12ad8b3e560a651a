// What tests of calls through /http/new share: a caller that answers as it is told, and a turn that
// has the device.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/event.h"
#include "capability/http/call_file.h"
#include "capability/http/http.h"
#include "capability/state/test_turn.h"

namespace carrel::capability::http {

using wasi::Errno;

// A body that comes in two parts, the second when it is asked for, and perhaps breaks off.
class Parts final : public async::ByteSource {
 public:
  Parts(std::string text, bool breaks) : left_(std::move(text)), breaks_(breaks) {}
  std::size_t read(std::span<std::byte> into) override {
    const std::size_t n = std::min({into.size(), left_.size(), open_});
    std::memcpy(into.data(), left_.data(), n);
    left_.erase(0, n);
    open_ -= n;
    return n;
  }
  bool ready() const override { return open_ > 0 && !left_.empty(); }
  bool finished() const override { return left_.empty() && !breaks_; }
  async::Task<Result<void>> wait() override {
    if (left_.empty() && breaks_) co_return fail(Code::egress_closed, "the response ended early");
    open_ = left_.size();
    co_return Result<void>();
  }

 private:
  std::string left_;
  std::size_t open_ = 2;
  bool breaks_;
};

class Response final : public net::IncomingResponse {
 public:
  Response(net::ReplyHead head, std::string body, bool breaks, net::Fields trailers)
      : head_(std::move(head)), body_(std::move(body), breaks), trailers_(std::move(trailers)) {}
  const net::ReplyHead& head() const override { return head_; }
  async::ByteSource& body() override { return body_; }
  net::Fields trailers() const override { return trailers_; }

 private:
  net::ReplyHead head_;
  Parts body_;
  net::Fields trailers_;
};

struct CannedAnswer {
  net::ReplyHead head{.status = 200, .headers = {{"X", "y"}}};
  std::string body;
  bool breaks = false;
  std::optional<Error> error;
  net::Fields trailers = {};
};

// Answers in order, once it is let.
class FakeCaller final : public net::Caller {
 public:
  std::deque<CannedAnswer> answers;
  std::vector<net::OutgoingRequest> requests;
  std::string streamed;  // of the last one's body
  net::Fields streamed_trailers;
  net::CallLimits last;
  async::Event* hold = nullptr;

  async::Task<Result<std::unique_ptr<net::IncomingResponse>>> send(
      TenantName, net::OutgoingRequest request, net::CallLimits limits) override {
    requests.push_back(std::move(request));
    last = limits;
    streamed.clear();
    if (const auto stream = requests.back().stream; stream && hold == nullptr) {
      while (!stream->source->finished()) {
        std::array<std::byte, 5000> part;
        const std::size_t n = stream->source->read(part);
        streamed.append(reinterpret_cast<const char*>(part.data()), n);
        if (n == 0 && !stream->source->finished()) (void)co_await stream->source->wait();
      }
      streamed_trailers = *stream->trailers;
    }
    if (hold != nullptr) co_await *hold;
    if (answers.empty()) co_return fail(Code::egress_failed, "nobody answers");
    CannedAnswer answer = std::move(answers.front());
    answers.pop_front();
    if (answer.error) co_return std::unexpected(*answer.error);
    co_return std::make_unique<Response>(std::move(answer.head), std::move(answer.body),
                                         answer.breaks, std::move(answer.trailers));
  }
};

class HttpCalls : public state::StoredTurn {
 protected:
  void SetUp() override {
    setup.grants.http = {
        {.methods = {}, .scheme = "https", .host = "rates.test", .port = 443},
        {.methods = {"GET", "POST"}, .scheme = "https", .host = "b.test", .port = 443}};
    services.client = &caller;
    StoredTurn::open();
  }
  void mount_all() override {
    state->key = "turn";
    run();
  }
  void unmount_all() override { node.reset(); }
  void run() { node = mount(turn); }  // of the guest, from its start

  std::unique_ptr<wasi::OpenFile> open() {
    auto file = node->open(io, "new", {.read = true, .write = true});
    return file ? std::move(*file) : nullptr;
  }
  Errno write(wasi::OpenFile& file, std::string_view text) {
    const auto bytes = std::as_bytes(std::span(text));
    const auto done = file.write(io, {&bytes, 1});
    return done ? Errno::success : done.error();
  }
  // To the end, or "(errno)" where it fails.
  std::string read(wasi::OpenFile& file) {
    std::string text;
    while (true) {
      std::array<std::byte, 7> part;
      const std::span<std::byte> bytes(part);
      const auto done = ask([&] { return file.read(io, {&bytes, 1}); });
      if (!done) return text + "(" + std::to_string(static_cast<int>(done.error())) + ")";
      if (*done == 0) return text;
      text.append(reinterpret_cast<const char*>(part.data()), *done);
    }
  }
  // All of it, waiting where it has to.
  void pour(wasi::OpenFile& file, std::string_view text) {
    while (!text.empty()) {
      const auto bytes = std::as_bytes(std::span(text));
      const auto done = ask([&] { return file.write(io, {&bytes, 1}); });
      ASSERT_TRUE(done);
      text.remove_prefix(*done);
    }
  }
  std::string call(std::string_view message) {
    const auto file = open();
    EXPECT_EQ(write(*file, message), Errno::success);
    return read(*file);
  }
  static std::string text_of(Errno error) {
    return "(" + std::to_string(static_cast<int>(error)) + ")";
  }

  FakeCaller caller;
  std::shared_ptr<wasi::Node> node;
};

inline const std::string kGet = "GET https://rates.test/x?secret=1 HTTP/1.1\n\n";
inline const std::string kHead = "HTTP/1.1 200 \r\nX: y\r\n\r\n";

inline std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
  return text;
}

inline const std::string kPost = "POST https://rates.test/x\nA: b\n\n";
inline const std::string kInChunks = "POST https://rates.test/x\nTransfer-Encoding: chunked\n\n";

}  // namespace carrel::capability::http
