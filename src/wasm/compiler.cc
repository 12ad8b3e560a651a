#include "wasm/compiler.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "wasm/compile_child.h"
#include "wasm/module.h"

namespace carrel::wasm {
namespace {

std::unexpected<Error> cannot(std::string_view what) {
  return fail(Code::compile_failed, fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

Result<void> write_all(int fd, const void* data, std::size_t size) {
  const auto* from = static_cast<const std::byte*>(data);
  while (size > 0) {
    const ssize_t written = write(fd, from, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return cannot("hand a module to the compiler");
    from += written;
    size -= static_cast<std::size_t>(written);
  }
  return {};
}

Result<Fd> request_file(const Engine& engine, std::span<const std::byte> bytes,
                        const CompileOptions& options) {
  Fd file(memfd_create("module", MFD_CLOEXEC));
  if (!file) return cannot("hand a module to the compiler");
  CompileRequest request;
  request.settings = engine.settings();
  request.compatibility = engine.compatibility();
  request.memory = options.memory;
  request.cpu_seconds = static_cast<std::uint64_t>(options.cpu.count());
  request.max_code = options.max_code;
  request.module_size = bytes.size();
  CARREL_TRY_VOID(write_all(file.get(), &request, sizeof request));
  CARREL_TRY_VOID(write_all(file.get(), bytes.data(), bytes.size()));
  lseek(file.get(), 0, SEEK_SET);
  return file;
}

// The child starts with files 0, 1 and 2 only, no environment, and default signals.
Result<pid_t> spawn(const CompileOptions& options, const Fd& in, const Fd& out,
                    const Fd& messages) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, messages.get(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigfillset(&all);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  std::string name = "carrel";
  std::string command = options.command;
  char* arguments[] = {name.data(), command.data(), nullptr};
  char* environment[] = {nullptr};
  pid_t child = -1;
  const int refused =
      posix_spawn(&child, options.program.c_str(), &files, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (refused == 0) return child;
  errno = refused;
  return cannot(fmt::format("start the compiler {}", options.program.string()));
}

struct Ended {
  int status = 0;
  bool late = false, interrupted = false;
};

Ended wait_for(pid_t child, Nanos deadline, const Interrupt* interrupt) {
  const Fd handle(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  if (!handle) kill(child, SIGKILL);  // no descriptors left: it could not be watched
  const auto until = std::chrono::steady_clock::now() + deadline;
  Ended ended;
  while (handle) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    std::array<pollfd, 2> both{pollfd{.fd = handle.get(), .events = POLLIN, .revents = 0},
                               pollfd{.fd = interrupt != nullptr ? interrupt->descriptor()
                                                                 : -1,  // below zero: passed over
                                      .events = POLLIN,
                                      .revents = 0}};
    const int ready = poll(both.data(), both.size(),
                           static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30)));
    if (ready < 0 && errno == EINTR) continue;
    ended.late = ready == 0;
    ended.interrupted = ready > 0 && both[0].revents == 0;
    break;
  }
  if (ended.late || ended.interrupted) kill(child, SIGKILL);
  pid_t gone = -1;
  while ((gone = waitpid(child, &ended.status, 0)) < 0 && errno == EINTR) {
  }
  // Taken by somebody else, as when SIGCHLD is ignored: what it made may not be whole.
  if (gone < 0) ended.status = SIGKILL;
  return ended;
}

Result<std::vector<std::byte>> contents(const Fd& file, std::uint64_t max) {
  const off_t size = lseek(file.get(), 0, SEEK_END);
  if (size < 0) return cannot("read the compiler's result");
  std::vector<std::byte> bytes(std::min<std::uint64_t>(static_cast<std::uint64_t>(size), max));
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t n =
        pread(file.get(), bytes.data() + have, bytes.size() - have, static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return cannot("read the compiler's result");
    have += static_cast<std::size_t>(n);
  }
  return bytes;
}

std::string text_in(const Fd& file) {
  auto bytes = contents(file, 16 << 10);
  if (!bytes) return {};
  std::string text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

std::unexpected<Error> crashed(int signal, const Fd& messages, const CompileOptions& options) {
  const char* help =
      "the module asks too much of the compiler: split or simplify it, or raise the limits of compiling";
  std::string why;
  if (signal == SIGXCPU) {
    why = fmt::format("it used up its {} s of CPU time", options.cpu.count());
  } else if (signal == SIGKILL) {
    why = "the compiler was killed, perhaps because the machine has no memory or descriptors left";
  } else if (signal == SIGXFSZ) {
    why = fmt::format("its code is larger than {} MiB", options.max_code >> 20);
  } else if (const std::string text = text_in(messages); text.contains("memory allocation")) {
    why = fmt::format("it used up its {} MiB of memory", options.memory >> 20);
  } else {
    why = fmt::format("the compiler ended by signal {} ({})", signal, strsignal(signal));
  }
  return fail(Code::compile_failed, fmt::format("the module could not be compiled: {}", why), help);
}

}  // namespace

Result<void> check_is_module(std::span<const std::byte> bytes) {
  if (bytes.empty())
    return fail(Code::invalid_module, "the file is empty", "build the module again");
  switch (binary_kind(bytes)) {
    case Binary::core_module:
    case Binary::component:
    case Binary::text:
      return {};
    case Binary::unknown:
      break;
  }
  std::string start;
  for (const std::byte b : bytes.first(std::min<std::size_t>(bytes.size(), 8))) {
    start += fmt::format("{}{:02x}", start.empty() ? "" : " ", static_cast<unsigned>(b));
  }
  return fail(Code::invalid_module,
              fmt::format("this is not WebAssembly: it starts with the bytes {}", start),
              "a module starts with 00 61 73 6d 01 00 00 00, or is text that starts with (module");
}

Result<std::vector<std::byte>> compile_in_child(const Engine& engine,
                                                std::span<const std::byte> bytes,
                                                const CompileOptions& options) {
  if (bytes.size() > options.max_module) {
    return fail(Code::module_too_large, fmt::format("the module has {} bytes and may have {}",
                                                    bytes.size(), options.max_module));
  }
  CARREL_TRY_VOID(check_is_module(bytes));
  CARREL_TRY(const Fd in, request_file(engine, bytes, options));
  const Fd out(memfd_create("code", MFD_CLOEXEC));
  const Fd messages(memfd_create("messages", MFD_CLOEXEC));
  if (!out || !messages) return cannot("make room for the compiler's result");
  CARREL_TRY(const pid_t child, spawn(options, in, out, messages));

  const Ended ended = wait_for(child, options.deadline, options.interrupt);
  if (ended.interrupted) return fail(Code::shutting_down);
  if (ended.late) {
    const auto seconds = std::chrono::duration<double>(options.deadline).count();
    return fail(Code::compile_failed,
                fmt::format("the module could not be compiled within {:.3g} s", seconds),
                "split or simplify the module, or raise the limits of compiling");
  }
  if (WIFSIGNALED(ended.status)) return crashed(WTERMSIG(ended.status), messages, options);
  switch (static_cast<CompileExit>(WEXITSTATUS(ended.status))) {
    case CompileExit::compiled:
      return contents(out, options.max_code);
    case CompileExit::invalid_module:
      return fail(Code::invalid_module, text_in(out));
    case CompileExit::unfit:
      break;
  }
  return fail(Code::compile_failed, fmt::format("the compiler cannot work (status {}): {}",
                                                WEXITSTATUS(ended.status), text_in(out)));
}

}  // namespace carrel::wasm
