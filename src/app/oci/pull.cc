#include "app/oci/pull.h"

#include <fmt/format.h>

#include <memory>

#include "app/oci/contents.h"
#include "app/oci/registry.h"

namespace carrel::oci {
namespace {

constexpr std::string_view kMagic{"\0asm", 4};

struct Found {
  std::string image, manifest;  // digests
  Image document;
};

// From a tag or digest through an index, if there is one, to an image.
async::Task<Result<Found>> find_image(Session* session) {
  CARREL_CO_TRY(Fetched fetched, co_await fetch_document(session, session->reference().version()));
  Found found{.image = fetched.digest, .manifest = fetched.digest};
  CARREL_CO_TRY(Document document, parse_document(fetched.bytes, fetched.media_type));
  if (const auto* index = std::get_if<Index>(&document)) {
    CARREL_CO_TRY(const Descriptor chosen, choose_platform(*index));
    CARREL_CO_TRY(fetched, co_await fetch_document(session, chosen.digest));
    CARREL_CO_TRY(document, parse_document(fetched.bytes, fetched.media_type));
    found.manifest = fetched.digest;
  }
  auto* image = std::get_if<Image>(&document);
  if (image == nullptr) co_return fail(Code::registry_failed, "an index names an index");
  found.document = std::move(*image);
  co_return found;
}

Result<void> check_size(const Descriptor& layer, std::uint64_t most) {
  if (layer.size <= most) return {};
  return fail(Code::module_too_large, fmt::format("the layer {} has {} bytes; {} are allowed",
                                                  layer.digest, layer.size, most));
}

// An archive on its way to another thread and back: it may be gone here before it is done there.
struct Unpacking {
  std::string archive;
  std::uint64_t most, left;
  Result<std::string> module = std::string();

  void run() { module = unpack_module(archive, most, &left); }
};

async::Task<Result<Pulled>> take_packed(Session* session, std::vector<Descriptor> layers,
                                        const PullOptions* options, Sink* into) {
  std::uint64_t fetched = 0, left = kMaxUnpacked;
  for (const Descriptor& layer : layers) {
    CARREL_CO_TRY_VOID(check_size(layer, kMaxModule));
    fetched += layer.size;
    if (fetched > kMaxUnpacked) {
      co_return fail(Code::module_too_large,
                     fmt::format("the image's layers have more than {} bytes", kMaxUnpacked));
    }
    into->clear();
    CARREL_CO_TRY_VOID(co_await fetch_blob(session, layer, into));
    CARREL_CO_TRY(std::string archive, into->content());
    const auto work = std::make_shared<Unpacking>(std::move(archive), options->most, left);
    if (options->away) {
      co_await options->away([work] { work->run(); });
    } else {
      work->run();
    }
    left = work->left;
    CARREL_CO_TRY(const std::string module, std::move(work->module));
    if (module.empty()) continue;
    into->clear();
    CARREL_CO_TRY_VOID(into->write(module));
    co_return Pulled{
        .module = digest_of(module), .media_type = layer.media_type, .size = module.size()};
  }
  co_return fail(Code::invalid_module, "none of the image's layers holds a *.wasm",
                 "call the module plugin.wasm");
}

async::Task<Result<Pulled>> take_raw(Session* session, Descriptor layer, std::uint64_t most,
                                     Sink* into) {
  CARREL_CO_TRY_VOID(check_size(layer, most));
  CARREL_CO_TRY_VOID(co_await fetch_blob(session, layer, into));
  co_return Pulled{.module = layer.digest, .media_type = layer.media_type, .size = layer.size};
}

}  // namespace

async::Task<Result<Pulled>> pull_module(Session* session, PullOptions options, Sink* into) {
  CARREL_CO_TRY(const Found found, co_await find_image(session));
  CARREL_CO_TRY(Contents contents, choose_layers(found.document, options.layer));
  Pulled pulled;
  if (contents.packing == Packing::raw) {
    CARREL_CO_TRY(pulled, co_await take_raw(session, contents.layers.front(), options.most, into));
  } else {
    CARREL_CO_TRY(pulled,
                  co_await take_packed(session, std::move(contents.layers), &options, into));
  }
  CARREL_CO_TRY(const std::string bytes, into->content());
  if (!bytes.starts_with(kMagic)) {
    co_return fail(Code::invalid_module,
                   fmt::format("the module in {} is not WebAssembly", found.image));
  }
  pulled.image = found.image;
  pulled.manifest = found.manifest;
  co_return pulled;
}

}  // namespace carrel::oci
