#include "observe/line_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>

namespace carrel::observe {
namespace {

constexpr std::size_t kQueuedLines = 8192;
constexpr std::size_t kBuffer = 64 << 10;      // bytes
constexpr std::chrono::seconds kLastWords{1};  // for a reader that has stopped, at the end

using Steady = std::chrono::steady_clock;

int open_for_append(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
}

// A file takes all it is given; a pipe or a terminal waits for its reader.
bool waits_for_a_reader(int file) {
  struct stat status{};
  return ::fstat(file, &status) == 0 && !S_ISREG(status.st_mode);
}

// Gathers lines while more are queued, writes when none is: prompt when idle, few system calls when
// busy.
class FileSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  FileSink(std::string path, int file)
      : path_(std::move(path)), file_(file), waits_(waits_for_a_reader(file)) {}
  ~FileSink() override {
    write_out();
    if (!path_.empty()) ::close(file_);
  }

  // The queue's thread is the only one to call `sink_it_`, so the queue is there whenever that
  // runs.
  void watch(spdlog::details::thread_pool& queue) { queue_ = &queue; }
  void reopen() { reopen_ = true; }
  // A reader that has stopped is not waited for much longer.
  void hurry() { give_up_ = (Steady::now() + kLastWords).time_since_epoch(); }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    buffer_.append(message.payload.data(), message.payload.size());
    buffer_ += '\n';
    if (buffer_.size() >= kBuffer || queue_->queue_size() == 0) write_out();
  }
  void flush_() override { write_out(); }

 private:
  void write_out() {
    if (reopen_.exchange(false) && !path_.empty()) {
      if (const int file = open_for_append(path_); file >= 0) {
        ::close(std::exchange(file_, file));
        waits_ = waits_for_a_reader(file_);
      }
    }
    std::size_t done = 0;
    while (done < buffer_.size()) {
      if (waits_ && !wait_for_reader()) break;
      // A pipe with room takes this much without waiting.
      const std::size_t most = waits_ ? std::size_t{PIPE_BUF} : buffer_.size();
      const ssize_t n =
          ::write(file_, buffer_.data() + done, std::min(most, buffer_.size() - done));
      if (n < 0 && (errno == EINTR || (waits_ && errno == EAGAIN))) continue;
      if (n <= 0) break;  // a full disk loses log lines, nothing else
      done += static_cast<std::size_t>(n);
    }
    buffer_.clear();
  }

  // False: it has stopped reading, and the end has come.
  bool wait_for_reader() const {
    while (Steady::now().time_since_epoch() < give_up_.load()) {
      pollfd room{.fd = file_, .events = POLLOUT, .revents = 0};
      if (::poll(&room, 1, kLookMillis) > 0) return true;
    }
    return false;
  }

  static constexpr int kLookMillis = 100;

  std::string path_;  // empty: a standard stream
  int file_;
  bool waits_;
  std::string buffer_;
  spdlog::details::thread_pool* queue_ = nullptr;
  std::atomic<Steady::duration> give_up_ = Steady::duration::max();
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
  impl->sink->watch(*impl->queue);
  impl->logger = std::make_shared<spdlog::async_logger>(
      "lines", impl->sink, impl->queue, spdlog::async_overflow_policy::overrun_oldest);
  impl->logger->set_level(spdlog::level::trace);
  impl->logger->flush_on(spdlog::level::off);
  return std::shared_ptr<LineWriter>(new LineWriter(std::move(impl)));
}

LineWriter::LineWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// The queue's end joins its thread, which writes what is left; only then may the sink go.
LineWriter::~LineWriter() {
  impl_->sink->hurry();
  impl_->logger.reset();
  impl_->queue.reset();
}

void LineWriter::write(std::string_view line) {
  impl_->logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
}

void LineWriter::reopen() { impl_->sink->reopen(); }

std::uint64_t LineWriter::dropped() const { return impl_->queue->overrun_counter(); }

}  // namespace carrel::observe
