#include "cli/metrics_text.h"

#include <cstdlib>
#include <optional>

namespace carrel::cli {
namespace {

// Takes the text piece by piece; a piece that is not there makes it fail.
class Reader {
 public:
  explicit Reader(std::string_view line) : rest_(line) {}

  std::string_view name() {
    const std::size_t end = rest_.find_first_of("{= ");
    const auto name = rest_.substr(0, end);
    rest_.remove_prefix(name.size());
    if (name.empty()) failed_ = true;
    return name;
  }
  bool take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void need(std::string_view text) { failed_ = failed_ || !take(text); }

  // Up to the quote that ends it.
  std::string value() {
    std::string value;
    while (!rest_.empty() && rest_.front() != '"') {
      const bool escaped = rest_.front() == '\\' && rest_.size() > 1;
      if (escaped) rest_.remove_prefix(1);
      value += escaped && rest_.front() == 'n' ? '\n' : rest_.front();
      rest_.remove_prefix(1);
    }
    need("\"");
    return value;
  }
  double number() {
    const std::string text(rest_);
    char* end = nullptr;
    const double number = std::strtod(text.c_str(), &end);
    failed_ = failed_ || text.empty() || *end != '\0';
    return number;
  }
  bool failed() const { return failed_; }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::optional<std::pair<std::string, MetricSample>> read_line(std::string_view line) {
  Reader reader(line);
  std::string name(reader.name());
  MetricSample sample;
  if (reader.take("{")) {
    do {
      std::string label(reader.name());
      reader.need("=\"");
      std::string value = reader.value();
      sample.labels.insert_or_assign(std::move(label), std::move(value));
    } while (reader.take(",") && !reader.failed());
    reader.need("}");
  }
  reader.need(" ");
  sample.value = reader.number();
  if (reader.failed()) return {};
  return std::pair(std::move(name), std::move(sample));
}

}  // namespace

std::string_view MetricSample::label(std::string_view name) const {
  const auto found = labels.find(name);
  return found == labels.end() ? std::string_view() : std::string_view(found->second);
}

Result<MetricsText> MetricsText::parse(std::string_view text) {
  MetricsText metrics;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty() || line.starts_with('#')) continue;
    auto read = read_line(line);
    if (!read) return fail(Code::unavailable, "the server's figures cannot be read");
    metrics.samples_[std::move(read->first)].push_back(std::move(read->second));
  }
  return metrics;
}

const std::vector<MetricSample>& MetricsText::samples(std::string_view name) const {
  static const std::vector<MetricSample> kNone;
  const auto found = samples_.find(name);
  return found == samples_.end() ? kNone : found->second;
}

double MetricsText::sum(std::string_view name) const {
  double sum = 0;
  for (const MetricSample& sample : samples(name)) sum += sample.value;
  return sum;
}

double MetricsText::sum(std::string_view name, std::string_view label,
                        std::string_view value) const {
  double sum = 0;
  for (const MetricSample& sample : samples(name)) {
    if (sample.label(label) == value) sum += sample.value;
  }
  return sum;
}

}  // namespace carrel::cli
