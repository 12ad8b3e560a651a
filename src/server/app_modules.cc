#include "server/app_modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "app/setup.h"
#include "capability/assets/assets.h"

namespace carrel::server {
namespace {

using Node = std::shared_ptr<wasi::Node>;

// Folders that several modules see are read once.
class Folders {
 public:
  Node find(const std::filesystem::path& folder, Faults& faults) {
    if (const auto known = nodes_.find(folder); known != nodes_.end()) return known->second;
    auto node = capability::assets::mount(folder);
    if (!node) faults.add(node.error());
    return nodes_.emplace(folder, node ? *node : nullptr).first->second;
  }

 private:
  std::map<std::filesystem::path, Node> nodes_;
};

turn::ModuleSetup setup_of(const app::Manifest& manifest, const app::Module& module,
                           Folders& folders, Faults& faults, const app::Pairs& environment) {
  // The operator's word goes before the manifest's.
  turn::ModuleSetup setup = app::setup_of(manifest, module, environment);
  if (manifest.assets) setup.mounts.push_back({"/assets", folders.find(*manifest.assets, faults)});
  for (const app::Volume& volume : module.volumes) {
    setup.mounts.push_back({volume.guest, folders.find(volume.host, faults)});
  }
  return setup;
}

std::shared_ptr<const runtime::Program> program_of(const app::Module& module,
                                                   runtime::Loader& loader, Faults& faults) {
  auto program = loader.check(module.source);
  if (!program) {
    faults.add(std::move(program).error().within(fmt::format("module \"{}\"", module.name.str())));
    return nullptr;
  }
  return *program;
}

// A name that nothing exports would be found at the first request only.
void check_entrypoint(const app::Module& module, const runtime::Program& program,
                      runtime::Loader& loader, Faults& faults) {
  auto code = loader.load_now(program);
  if (!code) return faults.add(code.error());
  if ((*code)->is_component()) return;  // its world says what is called
  const auto exports = (*code)->exports();
  const bool found = std::ranges::any_of(exports, [&](const wasm::ExportName& each) {
    return each.name == module.entrypoint && each.type.starts_with("func");
  });
  if (found) return;
  faults.add(Error(Code::invalid_config,
                   fmt::format("module \"{}\": {} exports no function \"{}\"", module.name.str(),
                               module.source.string(), module.entrypoint),
                   "`carrel inspect FILE` shows what it exports"));
}

void check_reuse(const app::Module& module, const runtime::Program& program, Faults& faults) {
  if (!module.reuse || program.abi->reuses_instances()) return;
  faults.add(Error(Code::invalid_config,
                   fmt::format("module \"{}\": `reuse` is for components that handle requests "
                               "(wasi:http), and this is of the ABI \"{}\"",
                               module.name.str(), program.abi->name()),
                   "remove `reuse`: each turn has a fresh instance"));
}

}  // namespace

std::vector<function::Function> modules_of(const ModulesWanted& wanted, runtime::Loader& loader,
                                           const Clock& clock, Faults& faults) {
  Folders folders;
  std::vector<function::Function> modules;
  for (const app::Module& module : wanted.manifest.modules) {
    if (wanted.until && clock.now() > *wanted.until) {
      faults.add(Error(Code::compile_failed, "its modules take too long to compile, all together",
                       "deploy it in several apps, or again: what has been compiled is kept"));
      break;
    }
    auto program = program_of(module, loader, faults);
    if (program) check_entrypoint(module, *program, loader, faults);
    if (program) check_reuse(module, *program, faults);
    modules.push_back(
        {program, setup_of(wanted.manifest, module, folders, faults, wanted.environment)});
    modules.back().module.tenant = wanted.tenant;
  }
  return modules;
}

}  // namespace carrel::server
