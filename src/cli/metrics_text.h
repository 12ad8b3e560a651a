// A node's figures, as `GET /metrics` gives them (docs/reference/metrics.md).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace carrel::cli {

struct MetricSample {
  std::map<std::string, std::string, std::less<>> labels;
  double value = 0;

  std::string_view label(std::string_view name) const;  // empty: it has none
};

// Value type.
class MetricsText {
 public:
  // Errors: unavailable: it is no such text.
  static Result<MetricsText> parse(std::string_view text);

  // Of one name, in their order.
  const std::vector<MetricSample>& samples(std::string_view name) const;
  // Their sum; of those only that have this label.
  double sum(std::string_view name) const;
  double sum(std::string_view name, std::string_view label, std::string_view value) const;

 private:
  std::map<std::string, std::vector<MetricSample>, std::less<>> samples_;
};

}  // namespace carrel::cli
