#include "api/store_status.h"

#include <nlohmann/json.hpp>

namespace carrel::api {
namespace {

std::string_view text_of(store::StoreStatus::Health health) {
  using Health = store::StoreStatus::Health;
  return health == Health::well ? "well" : health == Health::failed ? "failed" : "reopening";
}

}  // namespace

nlohmann::json describe(const store::StoreStatus& status) {
  nlohmann::json json = {{"health", text_of(status.health)},
                         {"commits", status.commits.commits},
                         {"batches", status.commits.batches},
                         {"syncs", status.commits.syncs},
                         {"bytes_committed", status.commits.bytes},
                         {"conflicts", status.commits.conflicts},
                         {"reruns", status.reruns},
                         {"ticket_refusals", status.commits.ticket_refusals},
                         {"tickets_waited", status.tickets.waited},
                         {"tickets_passed_on", status.tickets.passed_on},
                         {"floors_refused", status.commits.floors},
                         {"quotas_refused", status.commits.quotas},
                         {"failures", status.commits.failures},
                         {"bytes_queued", status.commits.queued_bytes},
                         {"commits_held_back", status.held_back},
                         {"names_swept", status.swept_records},
                         {"parts_swept", status.swept_parts},
                         {"unfinished_parts_swept", status.swept_files},
                         {"parts_damaged", status.damaged_parts},
                         {"disk_reads", status.disk_reads},
                         {"snapshots_expired", status.expired_snapshots},
                         {"corruptions", status.corruptions},
                         {"watches", status.watches},
                         {"keys", status.size.keys},
                         {"bytes_on_disk", status.size.bytes_on_disk},
                         {"bytes_in_memory", status.size.bytes_in_memory}};
  if (!status.problem.empty()) json["problem"] = status.problem;
  return json;
}

}  // namespace carrel::api
