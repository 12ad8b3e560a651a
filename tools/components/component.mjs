#!/usr/bin/env node
// Makes components; CARREL_COMPONENTS_HOME is where jco and its friends are installed (./dev setup).
//
//   component.mjs new CORE OUT WORLD [ADAPTER]    of a core module that follows the canonical ABI
//   component.mjs js SOURCE OUT WORLD             of a JavaScript module, with componentize-js
//   component.mjs qjs SOURCE OUT WORLD            the same with componentize-qjs, a tenth as large

//
// WORLD: http (wasi:http/proxy), http3 (wasi:http/service 0.3), command (wasi:cli/command), command3 (the same of 0.3), or a file of WIT that includes what it needs.
// ADAPTER: command or reactor, for modules that import WASI preview 1 as well. The WIT files of WASI are those
// that the engine's own crates carry.
import { readFileSync, readdirSync, writeFileSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { execFileSync } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const home = process.env.CARREL_COMPONENTS_HOME;
if (!home) throw new Error('CARREL_COMPONENTS_HOME is not set: eval "$(./dev env)" sets it');
const require = createRequire(pathToFileURL(home + '/'));
// As if from `home`, which some packages allow to `import` alone.
const load = (name) => {
  const folder = join(home, 'node_modules', name);
  let entry = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).exports;
  while (typeof entry === 'object') entry = entry['.'] ?? entry.import ?? entry.default;
  return import(pathToFileURL(join(folder, entry)));
};
const engine = join(dirname(fileURLToPath(import.meta.url)), '../../engine');

const WORLDS = {
  http: 'world guest { include wasi:cli/imports@0.2.12; include wasi:http/proxy@0.2.12; }',
  http3: 'world guest { include wasi:http/service@0.3.0; }',
  command: 'world guest { include wasi:cli/command@0.2.12; }',
  command3: 'world guest { include wasi:cli/command@0.3.0; }',
};

// Where cargo has unpacked the crate of the version that the lock file names.
function witFolder() {
  const lock = readFileSync(join(engine, 'Cargo.lock'), 'utf8');
  const version = /name = "wasmtime-wasi-http"\nversion = "([^"]+)"/.exec(lock)[1];
  const registry = join(process.env.CARGO_HOME ?? join(homedir(), '.cargo'), 'registry/src');
  const find = () => {
    const indexes = existsSync(registry) ? readdirSync(registry) : [];
    return indexes.map((index) => join(registry, index, `wasmtime-wasi-http-${version}/wit`)).find(existsSync);
  };
  if (!find()) execFileSync('cargo', ['fetch', '--locked', '--manifest-path', join(engine, 'Cargo.toml')]);
  return find();
}

// WASI's packages and the world as one text, since the tools read no folders here.
function witText(world) {
  let text = 'package carrel:guest;\n' + (WORLDS[world] ?? readFileSync(world, 'utf8')) + '\n';
  const deps = join(witFolder(), world.endsWith('3') ? '../src/p3/wit/deps' : 'deps');
  for (const file of readdirSync(deps)) {
    text += readFileSync(join(deps, file), 'utf8').replace(/^package ([^;\n]+);/m, 'package $1 {') + '\n}\n';
  }
  return text;
}

async function fromCore(core, out, world, adapter) {
  const { componentEmbed, componentNew, preview1AdapterCommandPath, preview1AdapterReactorPath } =
    await load('@bytecodealliance/jco');
  const adapters = { command: preview1AdapterCommandPath, reactor: preview1AdapterReactorPath };
  const binary = world === 'none' ? readFileSync(core)
    : await componentEmbed({ binary: readFileSync(core), witSource: witText(world), world: 'guest' });
  const with1 = adapter ? [['wasi_snapshot_preview1', readFileSync(fileURLToPath(adapters[adapter]()))]] : [];
  writeFileSync(out, await componentNew(binary, with1));
}

async function fromJs(source, out, world) {
  const { componentize } = await load('@bytecodealliance/componentize-js');
  const { component } = await componentize({
    sourcePath: resolve(source),
    witWorld: witText(world),
    worldName: 'guest',
    disableFeatures: ['http', 'fetch-event'],
  });
  writeFileSync(out, component);
}

async function fromQjs(source, out, world) {
  const wit = `${out}.wit`;
  writeFileSync(wit, witText(world));
  const tool = join(dirname(require.resolve('componentize-qjs')), 'bin/componentize-qjs');
  execFileSync(process.execPath, [tool, '--sync', '--opt-size', '-w', wit, '-n', 'guest', '-j', source, '-o', out]);
  rmSync(wit);
}

const [how, from, out, world, adapter] = process.argv.slice(2);
const makers = { new: fromCore, js: fromJs, qjs: fromQjs };
if (!makers[how] || !out || !world) throw new Error('usage: component.mjs new|js|qjs FROM OUT WORLD [ADAPTER]');
await makers[how](from, out, world, adapter);
