#include "wasm/compile_child.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/fd.h"
#include "wasm/compiler.h"
#include "wasm/module.h"

namespace carrel::wasm {
namespace {

int finish(CompileExit how, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return static_cast<int>(CompileExit::unfit);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return static_cast<int>(how);
}

int finish(CompileExit how, std::string_view text) {
  return finish(how, std::as_bytes(std::span(text)));
}

void limit(__rlimit_resource resource, std::uint64_t value, std::uint64_t grace = 0) {
  const rlimit both{value, value + grace};
  setrlimit(resource, &both);
}

void set_limits(const CompileRequest& request) {
#if !__has_feature(address_sanitizer)  // whose shadow alone takes terabytes of address space
  limit(RLIMIT_AS, request.memory);
#endif
  limit(RLIMIT_CPU, request.cpu_seconds,
        1);  // the soft limit says by its signal that it was reached
  limit(RLIMIT_FSIZE, request.max_code);
  limit(RLIMIT_CORE, 0);
  setpriority(PRIO_PROCESS, 0, 10);
  // If the machine runs out of memory, this process ends, not the server.
  if (const Fd score(open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)); score) {
    static_cast<void>(!write(score.get(), "1000", 4));
  }
  limit(RLIMIT_NOFILE, 3);
}

int compile(const Engine& engine, std::span<const std::byte> bytes) {
  std::vector<std::byte> converted;
  if (binary_kind(bytes) == Binary::text) {
    auto wasm = wat_to_wasm({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    if (!wasm) return finish(CompileExit::invalid_module, wasm.error().message());
    converted = std::move(*wasm);
    bytes = converted;
  }
  if (auto kind = check_is_module(bytes); !kind) {
    return finish(CompileExit::invalid_module, kind.error().message());
  }
  if (auto counts = check_counts(bytes); !counts) {
    return finish(CompileExit::invalid_module, counts.error().message());
  }
  auto code = engine.compile(bytes);
  if (!code) return finish(CompileExit::invalid_module, code.error().message());
  return finish(CompileExit::compiled, *code);
}

}  // namespace

// Everything that is not listed fails with EPERM.
bool drop_compiler_rights() {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
  if (filter == nullptr) return false;
  static constexpr int kPlain[] = {SCMP_SYS(read),
                                   SCMP_SYS(write),
                                   SCMP_SYS(lseek),
                                   SCMP_SYS(close),
                                   SCMP_SYS(munmap),
                                   SCMP_SYS(mremap),
                                   SCMP_SYS(madvise),
                                   SCMP_SYS(brk),
                                   SCMP_SYS(futex),
                                   SCMP_SYS(set_robust_list),
                                   SCMP_SYS(rseq),
                                   SCMP_SYS(sched_yield),
                                   SCMP_SYS(sched_getaffinity),
                                   SCMP_SYS(rt_sigaction),
                                   SCMP_SYS(rt_sigprocmask),
                                   SCMP_SYS(rt_sigreturn),
                                   SCMP_SYS(sigaltstack),
                                   SCMP_SYS(exit),
                                   SCMP_SYS(exit_group),
                                   SCMP_SYS(clock_gettime),
                                   SCMP_SYS(clock_nanosleep),
                                   SCMP_SYS(nanosleep),
                                   SCMP_SYS(getrandom),
                                   SCMP_SYS(gettid),
                                   SCMP_SYS(getpid),
                                   SCMP_SYS(restart_syscall)};
  int failed = 0;
  for (const int call : kPlain) failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
  // To itself: how an abort ends.
  failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                             SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(getpid())));
  failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                             SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
  failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
  failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
                             SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
  failed |=
      seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, SCMP_A2(SCMP_CMP_EQ, 0));
  // Its flags are behind a pointer; without it the C library uses `clone`.
  failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  const bool loaded = failed == 0 && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return loaded;
}

int compile_child_main(int, char**) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  CompileRequest request;
  if (read(STDIN_FILENO, &request, sizeof request) != static_cast<ssize_t>(sizeof request)) {
    return finish(CompileExit::unfit,
                  "the request is incomplete; this command is not for use by hand");
  }
  request.settings.pooling = false;  // nothing is instantiated here
  auto engine = Engine::make_for_compiling(request.settings);
  if (!engine) return finish(CompileExit::unfit, engine.error().message());
  if ((*engine)->compatibility() != request.compatibility) {
    return finish(CompileExit::unfit, "the child's engine differs from its parent's");
  }
  set_limits(request);
  if (!drop_compiler_rights())
    return finish(CompileExit::unfit, "the kernel refuses the seccomp filter");

  void* at =
      mmap(nullptr, sizeof request + request.module_size, PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
  if (at == MAP_FAILED) return finish(CompileExit::unfit, "the module cannot be mapped");
  const auto* module = static_cast<const std::byte*>(at) + sizeof request;
  const int how = compile(**engine, std::span(module, request.module_size));
  _exit(how);  // destructors have nothing to do that the kernel does not
}

}  // namespace carrel::wasm
