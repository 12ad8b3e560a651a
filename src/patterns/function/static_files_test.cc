#include "patterns/function/static_files.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "app/test_folder.h"
#include "net/memory_reply.h"

namespace carrel::function {
namespace {

using app::TestFolder;

// Neither the source nor the sink of these tests waits, so a task is done when it has been started.
async::Task<void> keep(async::Task<Result<void>> task, std::optional<Result<void>>& out) {
  out.emplace(co_await task);
}

struct Answer {
  Result<void> result;
  int status;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  bool aborted;

  std::string operator[](std::string_view name) const {
    for (const auto& [key, value] : headers) {
      if (key == name) return value;
    }
    return "none";
  }
};

struct Fixture {
  TestFolder folder;
  StaticOptions options;
  std::shared_ptr<const StaticFiles> files;

  void open() {
    auto opened = StaticFiles::open(folder.path(), options);
    ASSERT_TRUE(opened) << opened.error().message();
    files = *opened;
  }

  Answer get(std::string_view path, std::vector<net::Header> headers = {},
             std::string_view method = "GET", std::string_view query = "") {
    if (files == nullptr) open();
    net::Request request{
        .method = method, .path = path, .query = query, .headers = std::move(headers)};
    net::MemoryReply reply;
    std::optional<Result<void>> result;
    auto task = keep(StaticFiles::serve(files, request, path, reply), result);
    task.start();
    return {*result, reply.started() ? reply.head().status : http_status(result->error().code()),
            reply.body(), reply.head().headers, reply.aborted()};
  }
};

TEST(StaticFiles, OfAMissingFolderAreAnError) {
  const TestFolder folder;
  EXPECT_EQ(StaticFiles::open(folder.path() / "none", {}).error().code(), Code::not_found);
}

TEST(StaticFiles, AreBoundedInNumber) {
  Fixture f;
  f.options.files = 2;
  for (const auto* name : {"a", "b", "c"}) f.folder.write(name, "x");
  EXPECT_EQ(StaticFiles::open(f.folder.path(), f.options).error().code(), Code::invalid_config);
}

TEST(StaticFiles, DoNotLeaveTheFolder) {
  Fixture f;
  const TestFolder outside;
  outside.write("secret", "s");
  f.folder.write("a.txt", "a");
  std::filesystem::create_symlink(outside.path() / "secret", f.folder.path() / "absolute");
  std::filesystem::create_symlink("../" + outside.path().filename().native() + "/secret",
                                  f.folder.path() / "relative");
  std::filesystem::create_directory_symlink(outside.path(), f.folder.path() / "folder");
  for (const auto* path : {"/absolute", "/relative", "/folder/secret", "/../a.txt", "/%2e%2e/a.txt",
                           "/%2Fetc/passwd", "//etc/passwd", "/a.txt/", "/a.txt/..", "/a.txt%00"}) {
    EXPECT_EQ(f.get(path).status, 404) << path;
  }
  EXPECT_EQ(f.files->count(), 1u);
}

TEST(StaticFiles, DoNotLeaveTheFolderThroughALinkThatAppearsLater) {
  Fixture f;
  const TestFolder outside;
  const auto secret = outside.write("secret", "a large secret");
  f.options.file_bytes = 4;
  const auto file = f.folder.write("a.txt", "large enough");
  f.open();
  std::filesystem::remove(file);
  std::filesystem::create_symlink(secret, file);
  EXPECT_EQ(f.get("/a.txt").status, 404);
}

TEST(StaticFiles, DoNotServeHiddenOrSpecialFiles) {
  Fixture f;
  f.folder.write(".env", "x");
  f.folder.write(".git/config", "x");
  f.folder.write("a/.b/c", "x");
  ASSERT_EQ(::mkfifo((f.folder.path() / "pipe").c_str(), 0600), 0);
  for (const auto* path :
       {"/.env", "/%2Eenv", "/.git/config", "/a/.b/c", "/pipe", "/a", "/a/", "/"}) {
    EXPECT_EQ(f.get(path).status, 404) << path;
  }
}

TEST(StaticFiles, AnswerOnlyGetAndHead) {
  Fixture f;
  f.folder.write("a.txt", "a");
  EXPECT_EQ(f.get("/a.txt", {}, "POST").status, 405);
  EXPECT_EQ(f.get("/a.txt", {}, "HEAD").status, 200);
}

TEST(StaticFiles, HaveATypeATagAndAnAge) {
  Fixture f;
  f.options.max_age = std::chrono::hours(1);
  f.folder.write("d\xC3\xA4/a b.html", "<p>");
  f.folder.write("same.html", "<p>");
  f.folder.write("other.html", "<b>");
  const Answer answer = f.get("/d%C3%A4/a%20b.html");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "<p>");
  EXPECT_EQ(answer["content-type"], "text/html; charset=utf-8");
  EXPECT_EQ(answer["cache-control"], "public, max-age=3600");
  EXPECT_EQ(answer["x-content-type-options"], "nosniff");
  EXPECT_TRUE(answer["etag"].starts_with('"'));
  EXPECT_EQ(answer["etag"], f.get("/same.html")["etag"]);
  EXPECT_NE(answer["etag"], f.get("/other.html")["etag"]);
}

TEST(StaticFiles, AreNotSentAgainToWhoHasThem) {
  Fixture f;
  f.folder.write("a.txt", "a");
  const std::string etag = f.get("/a.txt")["etag"];
  const std::string weak = "\"x\", W/" + etag;
  for (const std::string& header : {etag, weak, std::string("*")}) {
    const Answer answer = f.get("/a.txt", {{"If-None-Match", header}});
    EXPECT_EQ(answer.status, 304) << header;
    EXPECT_EQ(answer.body, "");
    EXPECT_EQ(answer["etag"], etag);
  }
  EXPECT_EQ(f.get("/a.txt", {{"If-None-Match", "\"x\""}}).status, 200);
}

TEST(StaticFiles, AreSentInParts) {
  Fixture f;
  f.folder.write("a.txt", "0123456789");
  const Answer part = f.get("/a.txt", {{"Range", "bytes=2-4"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "234");
  EXPECT_EQ(part["content-range"], "bytes 2-4/10");
  const Answer beyond = f.get("/a.txt", {{"Range", "bytes=10-"}});
  EXPECT_EQ(beyond.status, 416);
  EXPECT_EQ(beyond["content-range"], "bytes */10");
  EXPECT_EQ(f.get("/a.txt", {{"Range", "bytes=2-4"}}, "HEAD").status, 200);
  EXPECT_EQ(f.get("/a.txt", {{"Range", "bytes=2-4"}, {"If-Range", "\"old\""}}).status, 200);
  EXPECT_EQ(f.get("/a.txt", {{"Range", "bytes=2-4"}, {"If-Range", part["etag"]}}).status, 206);
}

TEST(StaticFiles, OfAFolderAreItsIndex) {
  Fixture f;
  f.folder.write("index.html", "top");
  f.folder.write("docs/index.html", "docs");
  EXPECT_EQ(f.get("/").body, "top");
  EXPECT_EQ(f.get("").body, "top");
  EXPECT_EQ(f.get("/docs/").body, "docs");
  const Answer answer = f.get("/docs", {}, "GET", "a=b");
  EXPECT_EQ(answer.status, 308);
  EXPECT_EQ(answer["location"], "/docs/?a=b");
}

TEST(StaticFiles, ThatAreSmallAreAnsweredAsTheyWereWhenOpened) {
  Fixture f;
  f.folder.write("a.txt", "old");
  f.open();
  f.folder.write("a.txt", "new");
  f.folder.write("b.txt", "b");
  EXPECT_EQ(f.get("/a.txt").body, "old");
  EXPECT_EQ(f.get("/b.txt").status, 404);
}

TEST(StaticFiles, BeyondTheBoundsStayOnDisk) {
  Fixture f;
  const std::string large(300'000, 'x');
  f.options.file_bytes = 1000;
  f.options.total_bytes = 1500;
  f.folder.write("large.bin", large + "end");
  f.folder.write("a", std::string(1000, 'a'));
  f.folder.write("b", std::string(1000, 'b'));
  f.open();
  EXPECT_EQ(f.files->bytes_in_memory(), 1000u);
  const Answer whole = f.get("/large.bin");
  EXPECT_TRUE(whole.result);
  EXPECT_EQ(whole.body, large + "end");
  EXPECT_TRUE(whole["etag"].starts_with("W/\""));
  EXPECT_EQ(f.get("/large.bin", {{"Range", "bytes=-3"}}).body, "end");
  EXPECT_EQ(f.get("/large.bin", {{"If-None-Match", whole["etag"]}}).status, 304);
  EXPECT_EQ(f.get("/large.bin", {}, "HEAD").body, "");
  EXPECT_EQ(f.get("/a").body.size(), 1000u);
  EXPECT_EQ(f.get("/b").body.size(), 1000u);
}

// A client that takes the file while somebody cuts it.
class CuttingReply final : public net::ReplySink {
 public:
  explicit CuttingReply(std::filesystem::path file) : file_(std::move(file)) {}
  bool started() const override { return started_; }
  async::Task<Result<void>> send(net::ReplyHead, std::string_view) override {
    co_return Result<void>();
  }
  async::Task<Result<void>> start(net::ReplyHead, std::optional<std::uint64_t>) override {
    started_ = true;
    co_return Result<void>();
  }
  async::Task<Result<void>> write(std::string_view) override {
    std::filesystem::resize_file(file_, 10);
    co_return Result<void>();
  }
  async::Task<Result<void>> finish() override {
    finished = true;
    co_return Result<void>();
  }
  void abort() override { aborted = true; }
  bool finished = false, aborted = false;

 private:
  std::filesystem::path file_;
  bool started_ = false;
};

TEST(StaticFiles, ThatShrinkWhileTheyAreSentBreakTheReplyOff) {
  Fixture f;
  f.options.file_bytes = 10;
  const auto file = f.folder.write("a", std::string(300'000, 'x'));
  f.open();
  CuttingReply reply(file);
  const net::Request request{.method = "GET", .path = "/a"};
  std::optional<Result<void>> result;
  auto task = keep(StaticFiles::serve(f.files, request, "/a", reply), result);
  task.start();
  EXPECT_EQ(result->error().code(), Code::io);
  EXPECT_TRUE(reply.aborted);
  EXPECT_FALSE(reply.finished);
}

}  // namespace
}  // namespace carrel::function
