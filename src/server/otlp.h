// Spans as OpenTelemetry's collectors take them: OTLP 1.x, JSON, an ExportTraceServiceRequest.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "observe/tracer.h"

namespace carrel::server {

// `version`: of this program. Pure.
std::string otlp_json(std::span<const observe::SpanRecord> spans, std::string_view version);

}  // namespace carrel::server
