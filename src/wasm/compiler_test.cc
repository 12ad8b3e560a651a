#include "wasm/compiler.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "wasm/compile_child.h"
#include "wasm/test_room.h"

namespace carrel::wasm {
namespace {

using testing::bytes_of;
using ::testing::HasSubstr;
using testing::small_engine;

class Compiler : public ::testing::Test {
 protected:
  Error refuse(std::string_view bytes, const CompileOptions& options = {}) {
    auto code = compile_in_child(*engine, bytes_of(bytes), options);
    EXPECT_FALSE(code);
    return code ? Error(Code::internal) : code.error();
  }
  std::shared_ptr<Engine> engine = *Engine::make(small_engine());
};

std::string leb(std::uint64_t value) {
  std::string bytes;
  do {
    bytes += static_cast<char>((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>= 7;
  } while (value != 0);
  return bytes;
}

std::string section(char id, const std::string& content) {
  return id + leb(content.size()) + content;
}

constexpr std::string_view kMagic("\0asm\1\0\0\0", 8);

// `functions` functions of type () -> () that all have `body`.
std::string module_of(std::uint64_t functions, const std::string& body) {
  std::string bytes(kMagic);
  bytes += section(1, std::string("\1\x60\0\0", 4));
  bytes += section(3, leb(functions) + std::string(functions, '\0'));
  const std::string code = leb(body.size() + 1) + std::string(1, '\0') + body;
  std::string all = leb(functions);
  all.reserve(all.size() + code.size() * functions);
  for (std::uint64_t i = 0; i < functions; ++i) all += code;
  return bytes + section(10, all);
}

TEST_F(Compiler, RefusesAnEmptyFile) { EXPECT_THAT(refuse("").message(), HasSubstr("empty")); }

TEST_F(Compiler, RefusesWhatIsNotWasmAndShowsItsFirstBytes) {
  const Error error = refuse(
      "\x7f"
      "ELF and more");
  EXPECT_EQ(error.code(), Code::invalid_module);
  EXPECT_THAT(error.message(), HasSubstr("7f 45 4c 46"));
}

TEST_F(Compiler, RefusesADamagedComponentWithTheValidatorsText) {
  const Error error = refuse(std::string_view("\0asm\x0d\0\1\0\1\x7f", 10));
  EXPECT_EQ(error.code(), Code::invalid_module);
  EXPECT_THAT(error.message(), HasSubstr("out of bounds"));
}

TEST_F(Compiler, CompilesAComponentBinaryOrText) {
  for (const std::string_view text :
       {std::string_view("\0asm\x0d\0\1\0", 8), std::string_view("(component)")}) {
    auto code = compile_in_child(*engine, bytes_of(text), {});
    ASSERT_TRUE(code) << code.error().describe();
    auto module = Module::load_code(engine, *code);
    ASSERT_TRUE(module) << module.error().describe();
    EXPECT_TRUE((*module)->is_component());
  }
}

TEST_F(Compiler, RefusesATruncatedModuleWithTheValidatorsText) {
  const std::string whole = module_of(3, "\x0b");
  const Error error = refuse(whole.substr(0, whole.size() - 2));
  EXPECT_EQ(error.code(), Code::invalid_module);
  EXPECT_THAT(error.message(), HasSubstr("unexpected end"));
}

// `count` imports of functions that have a thousand operands each.
std::string module_with_imports(std::uint64_t count) {
  std::string bytes(kMagic);
  bytes += section(1, std::string("\1\x60", 2) + leb(1000) + std::string(1000, '\x7f') + '\0');
  std::string all = leb(count);
  for (std::uint64_t i = 0; i < count; ++i) all += std::string("\0\0\0\0", 4);
  return bytes + section(2, all);
}

TEST_F(Compiler, RefusesAMillionImportsBeforeItLooksAtThem) {
  const Error error = refuse(module_with_imports(1'000'000));
  EXPECT_EQ(error.code(), Code::invalid_module);
  EXPECT_THAT(error.message(), HasSubstr("1000000 imports and may have 1000"));
}

TEST_F(Compiler, RefusesAMillionExports) {
  std::string bytes(kMagic);
  bytes += section(1, std::string("\1\x60\0\0", 4));
  bytes += section(7, leb(1'000'000));
  EXPECT_THAT(refuse(bytes).message(), HasSubstr("1000000 exports and may have 10000"));
}

TEST_F(Compiler, RefusesASecondMemory) {
  const Error error = refuse("(module (memory 1) (memory 1) (func (export \"run\")))");
  EXPECT_EQ(error.code(), Code::invalid_module);
  EXPECT_THAT(error.message(), HasSubstr("2 memories and may have 1"));
  EXPECT_THAT(refuse("(component (core module (memory 1) (memory 1)))").message(),
              HasSubstr("2 memories and may have 1"));
  EXPECT_THAT(refuse("(component (component (core module (memory 1) (memory 1))))").message(),
              HasSubstr("2 memories and may have 1"));
}

TEST_F(Compiler, LeavesSectionsThatAreCutOffToTheValidator) {
  EXPECT_TRUE(check_counts(bytes_of("")));
  EXPECT_TRUE(check_counts(bytes_of(kMagic)));
  EXPECT_TRUE(check_counts(bytes_of(std::string(kMagic) + "\2")));
  EXPECT_TRUE(check_counts(bytes_of(std::string(kMagic) + "\2\xff\xff\xff\xff\xff\xff")));
  EXPECT_FALSE(check_counts(bytes_of(std::string(kMagic) + "\2\xff\xff\xff\xff\xf\xff\xff\x7f")));
}

TEST_F(Compiler, TakesNoCodeFromAChildThatSomebodyElseHasReaped) {
  const auto before = signal(SIGCHLD, SIG_IGN);
  const Error error = refuse("(module)");
  signal(SIGCHLD, before);
  EXPECT_EQ(error.code(), Code::compile_failed);
}

TEST_F(Compiler, RefusesTextWithASyntaxErrorAndSaysWhere) {
  const Error error = refuse("(module\n  (func (export \"run\") i32.nonsense))");
  EXPECT_EQ(error.code(), Code::invalid_module);
  EXPECT_THAT(error.message(), HasSubstr("2:"));
}

TEST_F(Compiler, RefusesAModuleOverItsSizeLimitWithoutStartingAChild) {
  const Error error = refuse(module_of(1, "\x0b"), {.max_module = 16, .program = "/nonexistent"});
  EXPECT_EQ(error.code(), Code::module_too_large);
}

TEST_F(Compiler, SaysWhenTheChildCannotBeStarted) {
  const Error error = refuse("(module)", {.program = "/nonexistent"});
  EXPECT_EQ(error.code(), Code::compile_failed);
  EXPECT_THAT(error.message(), HasSubstr("/nonexistent"));
}

TEST_F(Compiler, SaysWhenTheChildIsAnotherProgram) {
  EXPECT_EQ(refuse("(module)", {.program = "/bin/false"}).code(), Code::compile_failed);
}

TEST_F(Compiler, EndsNestedBlocksOfTenMegabytes) {
  const std::string deep = std::string("\x02\x40", 2);
  std::string body;
  for (int i = 0; i < 3'300'000; ++i) body += deep;
  body += std::string(3'300'001, '\x0b');
  EXPECT_EQ(refuse(module_of(1, body)).code(), Code::invalid_module);
}

TEST_F(Compiler, EndsDeeplyNestedText) {
  std::string text = "(module (func ";
  for (int i = 0; i < 1'000'000; ++i) text += "(block ";
  const Error error = refuse(text);
  EXPECT_TRUE(error.code() == Code::invalid_module || error.code() == Code::compile_failed);
}

TEST_F(Compiler, EndsAtItsDeadline) {
  const Error error =
      refuse(module_of(900'000, "\x0b"), {.deadline = std::chrono::milliseconds(20)});
  EXPECT_EQ(error.code(), Code::compile_failed);
  EXPECT_THAT(error.message(), HasSubstr("within 0.02 s"));
}

TEST_F(Compiler, EndsAtAnInterrupt) {
  Interrupt interrupt;
  interrupt.tell();
  const std::string slow = module_of(200'000, std::string(200, '\1') + '\x0b');
  EXPECT_EQ(refuse(slow, {.interrupt = &interrupt}).code(), Code::shutting_down);
}

TEST_F(Compiler, EndsAtItsMemoryLimit) {
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "an address space limit and AddressSanitizer exclude each other";
#endif
  const Error error = refuse(module_of(900'000, "\x0b"), {.memory = 200ULL << 20});
  EXPECT_EQ(error.code(), Code::compile_failed);
  EXPECT_THAT(error.message(), HasSubstr("200 MiB of memory"));
}

TEST_F(Compiler, EndsAtItsCpuLimit) {
  std::string body;
  for (int i = 0; i < 400; ++i) body += std::string("\x41\1\x41\2\x6a\x1a", 6);
  const Error error = refuse(module_of(20'000, body + '\x0b'), {.cpu = std::chrono::seconds(1)});
  EXPECT_EQ(error.code(), Code::compile_failed);
  EXPECT_THAT(error.message(), HasSubstr("1 s of CPU time"));
}

TEST_F(Compiler, EndsAtItsLimitOfCode) {
  const Error error = refuse(module_of(10'000, "\x0b"), {.max_code = 16 << 10});
  EXPECT_EQ(error.code(), Code::compile_failed);
}

// Each answer is a bit of what still worked.
[[noreturn]] void try_what_is_forbidden() {
  char program[] = "/bin/true";
  char* arguments[] = {program, nullptr};
  int worked = drop_compiler_rights() ? 0 : 1;
  if (open("/etc/passwd", O_RDONLY) >= 0) worked |= 2;
  if (socket(AF_INET, SOCK_STREAM, 0) >= 0) worked |= 4;
  if (mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
    worked |= 8;
  if (kill(getppid(), 0) == 0) worked |= 16;
  if (fork() >= 0) worked |= 32;
  if (syscall(SYS_tgkill, getppid(), getppid(), 0) == 0) worked |= 64;
  execv(program, arguments);
  _exit(worked);
}

TEST_F(Compiler, LeavesItsChildNoFilesNoNetworkAndNoPrograms) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(try_what_is_forbidden(), ::testing::ExitedWithCode(0), "");
}

TEST_F(Compiler, MakesCodeThatThisEngineLoads) {
  auto code = compile_in_child(*engine, bytes_of("(module (func (export \"run\")))"), {});
  ASSERT_TRUE(code) << code.error().describe();
  auto module = Module::load_code(engine, *code);
  ASSERT_TRUE(module) << module.error().describe();
  ASSERT_EQ((*module)->exports().size(), 1u);
  EXPECT_EQ((*module)->exports()[0].name, "run");
}

}  // namespace
}  // namespace carrel::wasm
