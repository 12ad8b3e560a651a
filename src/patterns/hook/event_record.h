// An emitted event as the store keeps it, until everybody it is for has it.
//
//   Kind::event, store APP, name ID -> MessagePack, in the app's tenant
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/id.h"
#include "patterns/hook/cloud_event.h"
#include "store/transaction.h"
#include "turn/state.h"

namespace carrel::hook {

// Should its last delivery not take it away: longer than any delivery and dead letter.
inline constexpr auto kEventKept = std::chrono::hours(24 * 60);

store::Place events_of(const AppName& app);
std::string encode(const CloudEvent& event);
Result<CloudEvent> decode_event(std::string_view record);  // Errors: data_corrupt

// "PREFIX_" and 32 hexadecimal digits, later ones after earlier ones. Errors: io.
Result<std::string> new_id(std::string_view prefix, WallTime now);

// When such an id was made. Nothing: it is none.
std::optional<WallTime> time_of_id(std::string_view id);

// An event that everybody has. Errors: those of the store.
async::Task<Result<void>> erase_event(turn::Services services, TenantName tenant, AppName app,
                                      std::string id);

// A bounded part of an app's, all of which nobody needs; gives how many, 0 when there were none.
// The transaction, of the app's tenant, outlives the task. Errors: those of the transaction.
async::Task<Result<std::size_t>> erase_events(store::Transaction* transaction, AppName app);

// The same with all of an app that are not needed. Errors: those of the store.
async::Task<Result<void>> sweep_events(turn::Services services, TenantName tenant, AppName app,
                                       std::function<bool(const std::string& id)> is_needed);

}  // namespace carrel::hook
