// The module in a tar archive: one pass, bounded memory, no file written, no path believed.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "app/oci/contents.h"

namespace carrel::oci {
namespace {

constexpr std::size_t kBlock = 512, kPiece = 64 << 10, kMostMembers = 10'000;

std::unexpected<Error> bad(std::string_view why) {
  return fail(Code::invalid_module, fmt::format("a layer is not a valid archive: {}", why));
}

// A field of a header up to its NUL.
std::string_view field(std::string_view header, std::size_t at, std::size_t size) {
  const std::string_view all = header.substr(at, size);
  return all.substr(0, all.find('\0'));
}

std::optional<std::uint64_t> octal(std::string_view text) {
  constexpr std::size_t kMostDigits = 12;
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

bool checksum_holds(std::string_view header) {
  constexpr std::size_t kAt = 148, kSize = 8;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kAt && i < kAt + kSize;
    sum += own ? static_cast<unsigned char>(' ') : static_cast<unsigned char>(header[i]);
  }
  return octal(field(header, kAt, kSize)) == sum;
}

// Takes an archive's bytes as they come and keeps the module.
class TarReader {
 public:
  TarReader(std::size_t most, std::uint64_t* left) : most_(most), unpacked_left_(left) {}

  Result<void> take(std::string_view bytes) {
    if (bytes.size() > *unpacked_left_) {
      return fail(Code::module_too_large,
                  fmt::format("the image's layers unpack to more than {} bytes", kMaxUnpacked));
    }
    *unpacked_left_ -= bytes.size();
    while (!bytes.empty() && !ended_) {
      std::size_t used = 0;
      if (left_ > 0) {
        used = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size()));
        if (keeping_) module_.append(bytes.substr(0, used));
        left_ -= used;
      } else if (padding_ > 0) {
        used = static_cast<std::size_t>(std::min<std::uint64_t>(padding_, bytes.size()));
        padding_ -= used;
      } else {
        used = std::min(kBlock - header_.size(), bytes.size());
        header_.append(bytes.substr(0, used));
        if (header_.size() == kBlock) {
          CARREL_TRY_VOID(begin_member());
          header_.clear();
        }
      }
      bytes.remove_prefix(used);
    }
    return {};
  }

  Result<std::string> finish() {
    if (!ended_ && (left_ > 0 || !header_.empty())) return bad("it ends early");
    if (modules_ > 1 && !named_) {
      return fail(Code::invalid_module, fmt::format("a layer has {} modules", modules_),
                  "call the one that is meant plugin.wasm");
    }
    return std::move(module_);
  }

 private:
  Result<void> begin_member() {
    constexpr std::size_t kName = 100, kSizeAt = 124, kSizeLength = 12, kTypeAt = 156;
    if (std::ranges::all_of(header_, [](char c) { return c == '\0'; })) {
      ended_ = true;
      return {};
    }
    if (++members_ > kMostMembers) return bad("it has too many members");
    if (!checksum_holds(header_)) return bad("a header's checksum is wrong");
    const auto size = octal(field(header_, kSizeAt, kSizeLength));
    if (!size) return bad("a member's size is no number");
    left_ = *size;
    padding_ = (kBlock - left_ % kBlock) % kBlock;
    keeping_ = false;
    const char type = header_[kTypeAt];
    if (type != '0' && type != '\0') return {};  // folders, links, extensions
    std::string_view name = field(header_, 0, kName);
    name = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
    return name == "plugin.wasm" || name.ends_with(".wasm") ? begin_module(name) : Result<void>();
  }

  Result<void> begin_module(std::string_view name) {
    const bool named = name == "plugin.wasm";
    if (named && named_) return bad("it has two plugin.wasm");
    ++modules_;
    if (named_) return {};
    if (left_ > most_) {
      return fail(Code::module_too_large,
                  fmt::format("a layer's module has {} bytes; {} are allowed", left_, most_));
    }
    named_ = named;
    keeping_ = true;
    module_.clear();
    return {};
  }

  std::size_t most_;
  std::uint64_t* unpacked_left_;
  std::string header_, module_;
  std::uint64_t left_ = 0, padding_ = 0;  // of the member
  std::size_t members_ = 0, modules_ = 0;
  bool keeping_ = false, named_ = false, ended_ = false;
};

struct InflateEnd {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

// One gzip member after another, as gzip itself reads them.
Result<void> inflate_into(std::string_view archive, TarReader& tar) {
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return bad("no memory to unpack it");
  const std::unique_ptr<z_stream, InflateEnd> owner(&stream);
  std::array<char, kPiece> piece;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(archive.data()));
  stream.avail_in = static_cast<uInt>(archive.size());
  for (;;) {
    stream.next_out = reinterpret_cast<Bytef*>(piece.data());
    stream.avail_out = piece.size();
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) return bad("its compression is damaged");
    CARREL_TRY_VOID(tar.take({piece.data(), piece.size() - stream.avail_out}));
    if (status != Z_STREAM_END) continue;
    if (stream.avail_in == 0) return {};
    if (inflateReset(&stream) != Z_OK) return bad("its compression is damaged");
  }
}

}  // namespace

Result<std::string> unpack_module(std::string_view archive, std::size_t most, std::uint64_t* left) {
  constexpr std::string_view kGzip = "\x1f\x8b";
  constexpr std::size_t kMostArchive = 1ULL << 30;
  if (archive.size() > kMostArchive) return bad("it is too large");
  TarReader tar(most, left);
  if (archive.starts_with(kGzip)) {
    CARREL_TRY_VOID(inflate_into(archive, tar));
  } else {
    CARREL_TRY_VOID(tar.take(archive));
  }
  return tar.finish();
}

}  // namespace carrel::oci
