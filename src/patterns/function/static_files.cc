#include "patterns/function/static_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/hex.h"
#include "patterns/function/conditions.h"
#include "patterns/function/content_types.h"
#include "patterns/function/router.h"

namespace carrel::function {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = 64 << 10;
constexpr int kMaxDepth = 32;  // of folders

// Strong: it changes exactly when the bytes do.
std::string etag_of(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_sha256(), nullptr);
  return '"' + to_hex(std::as_bytes(std::span(digest).first(16))) + '"';
}

// Weak: a large file is not read to name it.
std::string etag_of(const struct stat& status) {
  return fmt::format("W/\"{:x}-{:x}-{:x}.{:x}\"", status.st_ino, status.st_size,
                     status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

bool has_hidden_part(std::string_view path) {
  return path.starts_with('.') || path.find("/.") != std::string_view::npos;
}

}  // namespace

// Owns an open file or folder.
class StaticFiles::Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

  // A file below this folder, symbolic links out of it refused by the kernel.
  Result<Descriptor> open_below(const std::string& path) const {
    open_how how{};
    how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;  // a pipe must not block the open
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    for (int attempt = 0;; ++attempt) {
      const long fd = ::syscall(SYS_openat2, fd_, path.c_str(), &how, sizeof(how));
      if (fd >= 0) return Descriptor(static_cast<int>(fd));
      // EAGAIN: a rename raced with ".." in a link.
      if (errno != EAGAIN || attempt == 8) break;
    }
    const int cause = errno;
    if (cause == ENOSYS || cause == EPERM) {
      return fail(Code::unavailable, "openat2 is not available",
                  "use Linux 5.6 or newer, and a container profile that allows it");
    }
    return fail(cause == EMFILE || cause == ENFILE ? Code::io : Code::not_found,
                fmt::format("cannot open \"{}\": {}", path, std::strerror(cause)));
  }

  // Bytes read at `offset`; 0 at the end.
  Result<std::size_t> read_at(std::uint64_t offset, char* into, std::size_t size) const {
    while (true) {
      const ssize_t n = ::pread(fd_, into, size, static_cast<off_t>(offset));
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR)
        return fail(Code::io, fmt::format("cannot read a file: {}", std::strerror(errno)));
    }
  }

 private:
  int fd_;
};

struct StaticFiles::File {
  std::string path;
  std::string_view type;
  bool kept = false;  // content and etag are set
  std::string content;
  std::string etag;
};

// Walks the folder once.
struct StaticFiles::Loader {
  StaticFiles& made;

  Result<void> run(const fs::path& root) {
    std::error_code error;
    fs::recursive_directory_iterator walk(root, fs::directory_options::skip_permission_denied,
                                          error);
    for (; !error && walk != fs::recursive_directory_iterator(); walk.increment(error)) {
      const std::string path = walk->path().lexically_relative(root).native();
      if (has_hidden_part(path) || walk.depth() >= kMaxDepth) {
        walk.disable_recursion_pending();
        continue;
      }
      CARREL_TRY_VOID(add(path));
    }
    if (error) {
      return fail(Code::io, fmt::format("cannot list {}: {}", root.native(), error.message()),
                  "check the folder's permissions");
    }
    return {};
  }

  Result<void> add(const std::string& path) {
    auto opened = made.folder_->open_below(path);
    if (!opened) {
      // A link out of the folder or an unreadable file is not served; a kernel without openat2 is
      // said.
      if (opened.error().code() == Code::not_found) return {};
      return std::unexpected(std::move(opened).error());
    }
    struct stat status{};
    if (::fstat(opened->get(), &status) != 0 || !S_ISREG(status.st_mode)) return {};
    if (made.files_.size() == made.options_.files) {
      return fail(Code::invalid_config,
                  fmt::format("more than {} static files", made.options_.files),
                  "serve fewer files, or put them behind a file server");
    }
    File file{.path = path, .type = content_type(path)};
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size <= made.options_.file_bytes && made.in_memory_ + size <= made.options_.total_bytes) {
      CARREL_TRY(file.content, read_all(*opened, size));
      file.etag = etag_of(file.content);
      file.kept = true;
      made.in_memory_ += file.content.size();
    }
    made.files_.emplace(path, std::move(file));
    return {};
  }

  static Result<std::string> read_all(const Descriptor& file, std::uint64_t size) {
    std::string content(size, '\0');
    std::size_t done = 0;
    while (done < content.size()) {
      CARREL_TRY(const std::size_t n,
                 file.read_at(done, content.data() + done, content.size() - done));
      if (n == 0) break;
      done += n;
    }
    content.resize(done);
    return content;
  }
};

StaticFiles::StaticFiles() = default;
StaticFiles::~StaticFiles() = default;

Result<std::shared_ptr<const StaticFiles>> StaticFiles::open(const fs::path& folder,
                                                             const StaticOptions& options) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) {
    return fail(Code::not_found,
                fmt::format("cannot open the folder {}: {}", folder.native(), std::strerror(errno)),
                "check that it exists and may be read");
  }
  std::shared_ptr<StaticFiles> made(new StaticFiles);
  made->folder_ = std::make_unique<Descriptor>(fd);
  made->options_ = options;
  CARREL_TRY_VOID(Loader{*made}.run(folder));
  return made;
}

const StaticFiles::File* StaticFiles::find(const std::string& path) const {
  const auto found = files_.find(path.empty() || path.ends_with('/') ? path + "index.html" : path);
  return found == files_.end() ? nullptr : &found->second;
}

// Named without its slash. Such a path never begins with "//", so a redirect stays on this host.
bool StaticFiles::is_folder(const std::string& path) const {
  return !path.empty() && !path.ends_with('/') && files_.contains(path + "/index.html");
}

net::ReplyHead StaticFiles::head_for(const File& file, std::string_view etag) const {
  net::ReplyHead head;
  head.headers.emplace_back("content-type", file.type);
  head.headers.emplace_back("etag", etag);
  head.headers.emplace_back("accept-ranges", "bytes");
  head.headers.emplace_back("x-content-type-options", "nosniff");
  if (options_.max_age) {
    head.headers.emplace_back("cache-control",
                              fmt::format("public, max-age={}", options_.max_age->count()));
  }
  return head;
}

namespace {

// What of the file goes out, decided from the request's conditions.
struct Plan {
  ByteRange range;
  bool no_body = false;  // the head says it all: 304, 416
};

Plan plan_reply(const net::Request& request, std::string_view etag, std::uint64_t size,
                net::ReplyHead& head) {
  if (const auto names = request.header("if-none-match");
      !names.empty() && none_match_names(names, etag)) {
    head.status = 304;
    std::erase_if(head.headers, [](const auto& field) {
      return field.first == "content-type" || field.first == "accept-ranges";
    });
    return {.no_body = true};
  }
  const auto if_range = request.header("if-range");
  const bool ranged = request.method == "GET" &&
                      (if_range.empty() || (if_range == etag && !etag.starts_with("W/")));
  const RangeAnswer answer = ranged ? range_of(request.header("range"), size) : RangeAnswer{};
  switch (answer.kind) {
    case RangeAnswer::Kind::whole:
      return {.range = {0, size}};
    case RangeAnswer::Kind::part:
      head.status = 206;
      head.headers.emplace_back("content-range",
                                fmt::format("bytes {}-{}/{}", answer.range.first,
                                            answer.range.first + answer.range.length - 1, size));
      return {.range = answer.range};
    case RangeAnswer::Kind::unsatisfiable:
      head.status = 416;
      head.headers.emplace_back("content-range", fmt::format("bytes */{}", size));
      return {.no_body = true};
  }
  return {};
}

}  // namespace

async::Task<Result<void>> StaticFiles::serve(std::shared_ptr<const StaticFiles> self,
                                             const net::Request& request, std::string_view raw_rest,
                                             net::ReplySink& reply) {
  if (request.method != "GET" && request.method != "HEAD") co_return fail(Code::method_not_allowed);
  CARREL_CO_TRY(const std::string path, safe_relative_path(raw_rest));
  if (self->is_folder(path)) {  // so that relative links in its index.html work
    net::ReplyHead head{.status = 308};
    head.headers.emplace_back(
        "location",
        fmt::format("{}/{}{}", request.path, request.query.empty() ? "" : "?", request.query));
    co_return co_await reply.send(std::move(head), {});
  }
  const File* file = self->find(path);
  if (file == nullptr) co_return fail(Code::not_found);
  if (file->kept) {
    net::ReplyHead head = self->head_for(*file, file->etag);
    const Plan plan = plan_reply(request, file->etag, file->content.size(), head);
    const std::string_view body =
        plan.no_body ? std::string_view()
                     : std::string_view(file->content).substr(plan.range.first, plan.range.length);
    co_return co_await reply.send(std::move(head), body);
  }
  CARREL_CO_TRY(const Descriptor opened, self->folder_->open_below(file->path));
  struct stat status{};
  if (::fstat(opened.get(), &status) != 0 || !S_ISREG(status.st_mode))
    co_return fail(Code::not_found);
  net::ReplyHead head = self->head_for(*file, etag_of(status));
  co_return co_await send_open(request, opened, status, std::move(head), reply);
}

async::Task<Result<void>> StaticFiles::send_open(const net::Request& request,
                                                 const Descriptor& file, const struct stat& status,
                                                 net::ReplyHead head, net::ReplySink& reply) {
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::string etag = etag_of(status);
  const Plan plan = plan_reply(request, etag, size, head);
  if (plan.no_body) co_return co_await reply.send(std::move(head), {});
  CARREL_CO_TRY_VOID(co_await reply.start(std::move(head), plan.range.length));
  if (request.method == "HEAD") co_return co_await reply.finish();
  std::vector<char> piece(kPiece);
  for (std::uint64_t done = 0; done < plan.range.length;) {
    const auto most = std::min<std::uint64_t>(kPiece, plan.range.length - done);
    const auto n = file.read_at(plan.range.first + done, piece.data(), most);
    if (!n || *n == 0) {  // unreadable, or cut short since it was opened
      reply.abort();
      co_return fail(Code::io, "a static file changed while it was sent");
    }
    const std::string_view bytes(piece.data(), *n);
    CARREL_CO_TRY_VOID(co_await reply.write(bytes));
    done += *n;
  }
  co_return co_await reply.finish();
}

}  // namespace carrel::function
