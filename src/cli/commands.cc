// The command table. A new command: its file, a declaration, a line in the list.
#include "cli/command.h"

namespace carrel::cli {

extern const Command kNew, kDev, kRun, kInvoke, kTest;
extern const Command kServe, kDeploy, kVersions, kDiff, kActivate, kRollback, kApps, kTenant,
    kToken, kAudit, kUsageOf, kCheck, kHost;
extern const Command kPull, kPush, kSign, kVerify;
extern const Command kInspect, kDoctor, kStore, kLogs, kTop, kKv, kCounter, kBlob, kSecret, kHook;
extern const Command kVersion, kHelp, kCompletion, kCompileModule;

namespace {
constexpr const Command* kCommands[] = {
    &kNew,        &kDev,      &kRun,      &kInvoke,        &kTest,   &kServe, &kDeploy,  &kVersions,
    &kDiff,       &kActivate, &kRollback, &kApps,          &kTenant, &kToken, &kHost,    &kAudit,
    &kUsageOf,    &kPull,     &kPush,     &kSign,          &kVerify, &kCheck, &kInspect, &kLogs,
    &kTop,        &kKv,       &kCounter,  &kBlob,          &kSecret, &kHook,  &kStore,   &kDoctor,
    &kCompletion, &kHelp,     &kVersion,  &kCompileModule,
};
}  // namespace

std::span<const Command* const> all_commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  for (const Command* command : kCommands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

}  // namespace carrel::cli
