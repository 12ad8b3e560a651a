#include "observe/line_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

namespace carrel::observe {
namespace {

constexpr std::size_t kQueuedLines = 8192;
constexpr std::size_t kBuffer = 64 << 10;  // bytes

int open_for_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

// Gathers lines while more are queued, writes when none is: prompt when idle, few system calls when
// busy.
class FileSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  FileSink(std::string path, int file) : path_(std::move(path)), file_(file) {}
  ~FileSink() override {
    write_out();
    if (!path_.empty()) ::close(file_);
  }

  void watch(std::weak_ptr<spdlog::details::thread_pool> queue) { queue_ = std::move(queue); }
  void reopen() { reopen_ = true; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    buffer_.append(message.payload.data(), message.payload.size());
    buffer_ += '\n';
    const auto queue = queue_.lock();
    if (buffer_.size() >= kBuffer || !queue || queue->queue_size() == 0) write_out();
  }
  void flush_() override { write_out(); }

 private:
  void write_out() {
    if (reopen_.exchange(false) && !path_.empty()) {
      if (const int file = open_for_append(path_); file >= 0) {
        ::close(std::exchange(file_, file));
      }
    }
    std::size_t done = 0;
    while (done < buffer_.size()) {
      const ssize_t n = ::write(file_, buffer_.data() + done, buffer_.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;  // a full disk loses log lines, nothing else
      done += static_cast<std::size_t>(n);
    }
    buffer_.clear();
  }

  std::string path_;  // empty: a standard stream
  int file_;
  std::string buffer_;
  std::weak_ptr<spdlog::details::thread_pool> queue_;
  std::atomic<bool> reopen_ = false;
};

}  // namespace

struct LineWriter::Impl {
  std::shared_ptr<FileSink> sink;
  std::shared_ptr<spdlog::details::thread_pool> queue;
  std::shared_ptr<spdlog::async_logger> logger;
};

Result<std::shared_ptr<LineWriter>> LineWriter::open(const std::string& target) {
  int file = target == "-" ? STDOUT_FILENO : STDERR_FILENO;
  std::string path;
  if (target != "-" && target != "stderr") {
    path = target;
    file = open_for_append(path);
    if (file < 0) {
      return fail(
          Code::io, fmt::format("cannot write the log {}: {}", path, std::strerror(errno)),
          "name a file in a folder that exists and is writable, or \"-\" for standard output");
    }
  }
  auto impl = std::make_unique<Impl>();
  impl->sink = std::make_shared<FileSink>(path, file);
  impl->queue = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  impl->sink->watch(impl->queue);
  impl->logger = std::make_shared<spdlog::async_logger>(
      "lines", impl->sink, impl->queue, spdlog::async_overflow_policy::overrun_oldest);
  impl->logger->set_level(spdlog::level::trace);
  impl->logger->flush_on(spdlog::level::off);
  return std::shared_ptr<LineWriter>(new LineWriter(std::move(impl)));
}

LineWriter::LineWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// The queue's end joins its thread, which writes what is left; only then may the sink go.
LineWriter::~LineWriter() {
  impl_->logger.reset();
  impl_->queue.reset();
}

void LineWriter::write(std::string_view line) {
  impl_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void LineWriter::reopen() { impl_->sink->reopen(); }

std::uint64_t LineWriter::dropped() const { return impl_->queue->overrun_counter(); }

}  // namespace carrel::observe
