#include "observe/tracer.h"

#include <cstring>

namespace carrel::observe {
namespace {

constexpr std::size_t kMostAttributes = 32, kMostEvents = 64;
constexpr std::size_t kMostText = 1024;  // bytes of a value

// Ids of others' traces are theirs; ours are not to be those of another node.
std::mt19937_64 seeded() {
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device(),
                     device(), device(), device(), device()};
  return std::mt19937_64(seed);
}

template <std::size_t N>
void fill(std::array<std::uint8_t, N>& id, std::mt19937_64& random) {
  for (std::size_t at = 0; at < N; at += 8) {
    const std::uint64_t bits = random() | 1;  // never all zero
    std::memcpy(id.data() + at, &bits, 8);
  }
}

}  // namespace

Span::Span(Tracer& tracer, SpanRecord record) : tracer_(&tracer), record_(std::move(record)) {}

Span::Span(Span&& other) noexcept
    : tracer_(std::exchange(other.tracer_, nullptr)), record_(std::move(other.record_)) {}

void Span::say(std::string_view name, SpanRecord::Value value) {
  if (tracer_ == nullptr || record_.attributes.size() == kMostAttributes) return;
  if (auto* const text = std::get_if<std::string>(&value); text && text->size() > kMostText)
    text->resize(kMostText);
  record_.attributes.emplace_back(name, std::move(value));
}

void Span::happened(std::string_view name) {
  if (tracer_ == nullptr || record_.events.size() == kMostEvents) return;
  record_.events.emplace_back(name, tracer_->clock_.wall());
}

void Span::fail(Code code) { record_.failure = code_name(code); }

void Span::end() {
  Tracer* const tracer = std::exchange(tracer_, nullptr);
  if (tracer == nullptr) return;
  record_.end = tracer->clock_.wall();
  tracer->ended(std::move(record_));
}

Tracer::Tracer(const TraceOptions& options, const Clock& clock)
    : options_(options), clock_(clock), random_(seeded()) {}

TraceContext Tracer::below(const std::optional<TraceContext>& parent) {
  TraceContext context;
  if (parent) {
    context = *parent;
  } else {
    fill(context.trace, random_);
    const bool chosen = std::uniform_real_distribution<double>(0, 1)(random_) < options_.ratio;
    context.recorded = chosen ? TraceContext::Recorded::yes : TraceContext::Recorded::no;
  }
  fill(context.span, random_);
  return context;
}

Span Tracer::begin(const TraceContext& at, const std::optional<TraceContext>& parent,
                   std::string_view name, SpanRecord::Kind kind) {
  if (!at.is_recorded()) return {};
  SpanRecord record{.context = at, .name = std::string(name), .kind = kind, .begin = clock_.wall()};
  if (parent) record.parent = parent->span;
  return {*this, std::move(record)};
}

void Tracer::ended(SpanRecord record) {
  if (ended_.size() >= options_.waiting) {
    figures_.dropped.add();
    return;
  }
  ended_.push_back(std::move(record));
}

std::vector<SpanRecord> Tracer::take() { return std::exchange(ended_, {}); }

}  // namespace carrel::observe
