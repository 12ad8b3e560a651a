#include "server/access_log.h"

#include <fmt/format.h>

#include "observe/json_line.h"

namespace carrel::server {
namespace {

constexpr std::size_t kMaxPath = 1024;  // bytes
constexpr std::size_t kMaxName = 256;   // host and method

class JsonAccessLog final : public net::AccessLog {
 public:
  JsonAccessLog(std::shared_ptr<observe::LineWriter> writer, const Clock& clock)
      : writer_(std::move(writer)), clock_(clock) {}

  void write(const net::AccessRecord& record) override {
    using std::chrono::duration_cast;
    observe::JsonLine line;
    line.add_time("time", std::chrono::nanoseconds(clock_.wall().time_since_epoch()).count())
        .add("event", "request")
        .add_id("id", record.id)
        .add("remote", record.request.remote_address)
        .add("method", observe::shorten(record.request.method, kMaxName))
        .add("host", observe::shorten(record.request.host, kMaxName))
        .add("path", observe::shorten(record.request.path, kMaxPath))
        .add("status", static_cast<std::uint64_t>(record.status))
        .add("bytes_in", record.bytes_in)
        .add("bytes_out", record.bytes_out)
        .add("micros", static_cast<std::uint64_t>(
                           duration_cast<std::chrono::microseconds>(record.duration).count()));
    writer_->write(line.finish());
  }

 private:
  std::shared_ptr<observe::LineWriter> writer_;
  const Clock& clock_;
};

class TextAccessLog final : public net::AccessLog {
 public:
  explicit TextAccessLog(std::shared_ptr<observe::LineWriter> writer)
      : writer_(std::move(writer)) {}

  void write(const net::AccessRecord& record) override {
    const double millis = std::chrono::duration<double, std::milli>(record.duration).count();
    writer_->write(fmt::format(
        "{} {} {} {:.1f} ms", observe::printable(observe::shorten(record.request.method, kMaxName)),
        observe::printable(observe::shorten(record.request.path, kMaxPath)), record.status,
        millis));
  }

 private:
  std::shared_ptr<observe::LineWriter> writer_;
};

}  // namespace

std::unique_ptr<net::AccessLog> json_access_log(std::shared_ptr<observe::LineWriter> writer,
                                                const Clock& clock) {
  return std::make_unique<JsonAccessLog>(std::move(writer), clock);
}

std::unique_ptr<net::AccessLog> text_access_log(std::shared_ptr<observe::LineWriter> writer) {
  return std::make_unique<TextAccessLog>(std::move(writer));
}

}  // namespace carrel::server
