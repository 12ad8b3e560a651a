#include "server/logs.h"

#include "server/access_log.h"
#include "server/failure_log.h"
#include "server/guest_log.h"

namespace carrel::server {
namespace {

using Writer = std::shared_ptr<observe::LineWriter>;

// The same target twice would have its lines mixed: it gets one writer.
Result<Writer> writer_for(const std::string& target,
                          std::vector<std::pair<std::string, Writer>>& open) {
  for (const auto& [name, writer] : open) {
    if (name == target) return writer;
  }
  CARREL_TRY(Writer writer, observe::LineWriter::open(target));
  open.emplace_back(target, writer);
  return writer;
}

}  // namespace

Result<std::unique_ptr<Logs>> Logs::open(const ServerOptions& options, const Clock& clock) {
  std::vector<std::pair<std::string, Writer>> open;
  auto logs = std::make_unique<Logs>();
  const bool development = options.style == Style::development;
  // Standard output belongs to the access log if that goes there.
  CARREL_TRY(logs->people_,
             writer_for(!development && options.access_log == "-" ? "stderr" : "-", open));
  if (development) {
    logs->events_ =
        observe::make_log(logs->people_, options.log_level, observe::LogForm::text, clock);
    logs->guests_ = text_guest_log(logs->people_);
    logs->access_ = text_access_log(logs->people_);
  } else {
    CARREL_TRY(const Writer events, writer_for(options.log, open));
    logs->events_ = observe::make_log(events, options.log_level, observe::LogForm::json, clock);
    logs->guests_ = json_guest_log(*logs->events_);
  }
  if (options.access_log != "off") {
    CARREL_TRY(const Writer access, writer_for(options.access_log, open));
    logs->access_ = json_access_log(access, clock);
  }
  logs->guests_ = tailed_guest_log(std::move(logs->guests_), logs->tail_, clock);
  logs->failures_ = make_failure_log(*logs->events_, logs->tail_, clock);
  logs->hooks_ = std::make_unique<HookReports>(*logs->events_, *logs->failures_);
  for (auto& [name, writer] : open) logs->writers_.push_back(std::move(writer));
  return logs;
}

std::uint64_t Logs::dropped() const {
  std::uint64_t dropped = 0;
  for (const Writer& writer : writers_) dropped += writer->dropped();
  return dropped;
}

void Logs::reopen() {
  for (const Writer& writer : writers_) writer->reopen();
}

}  // namespace carrel::server
