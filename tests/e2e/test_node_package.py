"""The package for Node as its tarball has it, installed into a folder of its own."""

import json
import os
import shutil
import subprocess

import pytest
from test_embed_server import LocalShop

from hook_app import first_example, hook_app, run
from support import CARREL, ROOT

README = ROOT / "bindings/node/README.md"
NODE = shutil.which("node")
PACKAGES = sorted((CARREL.parents[1] / "node").glob("*.tgz"))
TYPESCRIPT = os.environ.get("CARREL_NODE_HOME")  # where npm has put what tests use

if not PACKAGES and os.environ.get("CI") != "true":
    pytest.skip("the package for Node is not made here", allow_module_level=True)

BEFORE = """
const assert = require('node:assert/strict');
const { AsyncLocalStorage } = require('node:async_hooks');
const { setTimeout: sleep } = require('node:timers/promises');
const carrel = require('carrel');
const folder = process.argv[1];
const code = async (work) => { try { await work(); return ''; } catch (error) { return error.code; } };
"""


class Environment:
    """A folder with the package in node_modules, and an app."""

    def __init__(self, work):
        self.work = work
        assert len(PACKAGES) == 1, f"./dev build makes one package: {PACKAGES}"
        (work / "package.json").write_text('{"private": true}')
        command = ["npm", "install", "--offline", "--no-audit", "--no-fund", "--silent", PACKAGES[0]]
        subprocess.run(list(map(str, command)), cwd=work, check=True)
        self.app = hook_app(work / "shop")

    def run(self, script, **more):
        script = f"{BEFORE}(async () => {{{script}}})().catch((error) => {{ console.error(error); process.exit(1); }});"
        return run([NODE, "-e", script, self.app], self.work / "cache", cwd=self.work, **more)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    return Environment(tmp_path_factory.mktemp("node"))


def test_the_readmes_first_example_works_when_pasted(environment):
    example, printed = first_example(README, "js")
    folder = environment.work / "example"
    folder.mkdir()
    (folder / "example.js").write_text(example)
    done = run([NODE, "example.js"], environment.work / "cache", cwd=folder)
    assert done.stdout.splitlines() == printed


def test_values_go_in_and_come_out_as_json_has_them(environment):
    environment.run("""
const app = await carrel.open(folder);
for (const value of [{ total: 1.5, name: 'café ☕' }, [1, [2]], 'a text', 7, null, true]) {
  assert.deepEqual(await app.call('echo', value), value);
  assert.deepEqual(app.callSync('echo', value), value);
}
assert.equal(app.callSync('echo'), null);
assert.deepEqual(app.callSync('echo', Buffer.from('{"a":  1}')), { a: 1 });
assert.equal(app.callRawSync('echo', '{"a":  1}'), '{"a":  1}');
assert.equal(await app.callRaw('echo', Buffer.from('{"a":  1}')), '{"a":  1}');
const options = { tenant: 'shop/merchant-17', timeout: 200 };
assert.deepEqual(await app.call('add', { total: 1 }, options), { total: 1, gift: 1 });
assert.equal(app.askSync('add', { total: 1 }).runs[0].status, 'answered');
assert.equal(app.points()[0].point, 'add');
assert.match(carrel.version, /^\\d+\\.\\d+\\.\\d+$/);
app.close();
""")


def test_it_is_imported_by_modules_too(environment):
    script = "import carrel, { openSync } from 'carrel'; openSync(process.argv[1]).close(); carrel.App.name;"
    run([NODE, "--input-type=module", "-e", script, environment.app], environment.work / "cache", cwd=environment.work)


def test_what_fails_is_an_error_with_a_code_and_what_to_do(environment):
    environment.run("""
assert.equal(await code(() => carrel.open('/nowhere')), 'not_found');
assert.equal(await code(() => carrel.openSync('/nowhere')), 'not_found');
const app = carrel.openSync(folder);
assert.equal(await code(() => app.call('no.such', {})), 'not_found');
assert.equal(await code(() => app.callSync('no.such', {})), 'not_found');
assert.equal(await code(() => app.call('echo', {}, { tenant: 'another' })), 'invalid_argument');
assert.equal(await code(() => app.callRaw('echo', '{oh no')), 'hook_input');
const failed = await app.call('add', { sum: 1 }).catch((error) => error);
assert(failed instanceof carrel.InputRefused && failed instanceof carrel.CarrelError);
assert.match(failed.details.problems[0].message, /total/);
const badly = { huge: 'hook_answer', loop: 'guest_cpu_limit', sleep: 'hook_late', trap: 'guest_trapped',
                exit: 'guest_exited' };
for (const [point, code] of Object.entries(badly)) {
  const error = await app.call(point, {}).catch((error) => error);
  assert(error instanceof carrel.ModuleFailed);
  assert.deepEqual([error.code, error.binding], [code, 'one']);
}
const cycle = {};
cycle.cycle = cycle;
for (const bad of [() => app.callSync('echo', cycle), () => app.callSync('echo', 1n), () => app.callSync(7, {}),
                   () => app.callSync('ec\\0ho', {}), () => app.callRawSync('echo', 7), () => app.callSync(),
                   () => app.callSync('echo', 1, { timeout: 'soon' }), () => app.provide('x', 7),
                   () => app.callRawSync('echo', new Float64Array(1)), () => carrel.openSync(folder, { cache: 7 })])
  assert.throws(bad, (error) => error instanceof TypeError || error instanceof RangeError, String(bad));
assert.throws(() => app.provide('No Name', () => 1), { code: 'invalid_argument' });
""")


def test_calls_hold_up_no_loop(environment):
    environment.run("""
const app = carrel.openSync(folder);
const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => app.call('echo', i)));
assert.deepEqual(answers, Array.from({ length: 200 }, (_, i) => i));
let ticks = 0;
const ticking = setInterval(() => ++ticks, 10);
assert.equal(await code(() => app.call('sleep', {})), 'hook_late');
clearInterval(ticking);
assert(ticks > 10, ticks);
""")


def test_modules_call_functions_of_the_application(environment):
    environment.run("""
const lines = [];
const app = carrel.openSync(folder, { log: (line) => lines.push(line) });
const who = new AsyncLocalStorage();
const schema = { type: 'object', required: ['sku'] };
app.provide('price', ({ sku }) => ({ of: sku, price: 12, who: who.getStore() }), { schema });
app.provide('slow', async (input) => { await sleep(50); return [input, who.getStore()]; });
const wanted = { of: 'é', price: 12, who: 'a' };
await who.run('a', async () => {
  assert.deepEqual(app.callSync('ask-price', { sku: 'é' }), wanted);
  assert.deepEqual(await app.call('ask-price', { sku: 'é' }), wanted);
});
assert.deepEqual(app.callSync('ask-price', {}), { errno: 29 });
assert.match(lines.at(-1).text, /sku/);
assert.deepEqual(app.callSync('ask-again', {}), { errno: 44 });
assert.throws(() => app.provide('price', () => 1), { code: 'already_exists' });
const begin = Date.now();
const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => who.run(i, () => app.call('ask-slow', i))));
assert.deepEqual(answers, Array.from({ length: 20 }, (_, i) => [i, i]));
assert(Date.now() - begin < 900, 'one after the other');
assert.deepEqual(app.callSync('ask-slow', 1), { errno: 29 });
assert.match(lines.at(-1).text, /TypeError/);
""")


def test_functions_that_do_badly_fail_the_modules_call_and_nothing_else(environment):
    environment.run("""
const lines = [];
const thrown = [];
const app = carrel.openSync(folder, { log: (line) => lines.push(line), onFunctionError: (_, e) => thrown.push(e) });
app.provide('raising', () => { throw new RangeError('a secret'); });
app.provide('refusing', () => { throw new carrel.Refusal('sold out \\0 \\ud800'); });
const cycle = {};
cycle.cycle = cycle;
app.provide('garbage', (i) => [1n, cycle, { toJSON() { throw 7; } }, new Uint8Array([255])][i]);
app.provide('huge', async () => 'x'.repeat(2 << 20));
app.provide('hangs', () => new Promise(() => {}), { timeout: 50 });
app.provide('slow', () => ({ then() { throw null; } }));
let depth = 0;
app.provide('again', (input) => { ++depth; return app.call('ask-again', input).catch((error) => error.code); });
app.provide('price', (input) => { try { return app.callSync('ask-price', input); } catch (e) { return e.code; } });
const everything = [['raising', 1], ['refusing', 1], ['huge', 1], ['hangs', 1], ['slow', 1]];
for (let i = 0; i < 4; ++i) everything.push(['garbage', i]);
for (const [name, input] of everything) {
  const begin = lines.length;
  assert.deepEqual(await app.call('ask-' + name, input), { errno: 29 }, name);
  assert.equal(lines.length, begin + 1);
  assert(!lines.at(-1).text.includes('a secret'));
  if (name === 'refusing') assert.match(lines.at(-1).text, /refused: sold out/);
  if (name === 'raising') assert.match(lines.at(-1).text, /RangeError/);
  if (name === 'raising') assert.equal(thrown.at(-1).message, 'a secret');
}
for (const [name, input] of everything)
  if (name !== 'hangs' && name !== 'slow' && name !== 'huge')
    assert.deepEqual(app.callSync('ask-' + name, input), { errno: 29 }, name);
assert.equal(await app.call('ask-again', {}), 'too_deep');
assert.equal(depth, 8);
assert.equal(app.callSync('ask-price', {}), 'too_deep');
assert.equal(await app.call('ask-price', {}), 'too_deep');
""")


def test_a_closed_app_says_so_and_calls_in_progress_end(environment):
    environment.run("""
const app = await carrel.open(folder);
app.provide('slow', async (input) => { await sleep(100); return input; });
const pending = app.call('ask-slow', 1);
app.close();
app.close();
for (const refused of [() => app.call('echo', 1), () => app.callSync('echo', 1), () => app.points(),
                       () => app.provide('x', () => 1)])
  assert.equal(await code(refused), 'closed');
assert.equal(await pending, 1);
""")


def test_a_process_ends_by_itself_when_calls_are_done_and_at_once_when_told(environment):
    waits = environment.run("const app = carrel.openSync(folder); app.call('echo', 1).then(console.log);")
    assert waits.stdout == "1\n"
    for _ in range(10):
        environment.run("""
const app = carrel.openSync(folder);
app.provide('slow', () => process.exit(0));
for (let i = 0; i < 200; ++i) app.call('echo', i);
app.call('sleep', 1);
for (let i = 0; i < 5; ++i) app.call('ask-slow', i);
await sleep(20);
process.exit(0);
""")


def test_workers_have_apps_of_their_own_and_may_be_ended(environment):
    environment.run("""
const { Worker } = require('node:worker_threads');
const source = `
const carrel = require('carrel');
const { parentPort, workerData } = require('node:worker_threads');
const app = carrel.openSync(workerData);
app.provide('slow', (input) => new Promise((done) => setTimeout(done, 5, input)));
const go = () => app.call('ask-slow', 1).then((answer) => { parentPort.postMessage(answer); go(); });
for (let i = 0; i < 8; ++i) go();
app.call('sleep', 1).catch(() => {});
`;
const app = carrel.openSync(folder);
for (let round = 0; round < 8; ++round) {
  const worker = new Worker(source, { eval: true, workerData: folder });
  await new Promise((resolve, reject) => { worker.once('message', resolve); worker.once('error', reject); });
  await worker.terminate();
  assert.equal(app.callSync('echo', round), round);
}
""")


def test_types_are_what_the_package_has(environment):
    if TYPESCRIPT is None:
        pytest.skip("there is no TypeScript")
    (environment.work / "use.ts").write_text("""
import carrel = require('carrel');
import { Verifier } from 'carrel/webhook';

async function main(): Promise<void> {
  const app: carrel.App = await carrel.open('shop', { log: (line) => console.log(line.text) });
  app.provide('stock', ({ sku }: { sku: string }) => ({ left: sku.length }), { schema: true, timeout: 50, rate: 10 });
  const output: { percent: number } = await app.call('p', { total: 1 }, { tenant: 'shop', timeout: 1 });
  const text: string = app.callRawSync('p', new Uint8Array());
  const statuses: string[] = app.askSync('p').runs.map((run) => run.status);
  try {
    app.callSync('p');
  } catch (error) {
    if (error instanceof carrel.ModuleFailed) console.log(error.binding?.length, error.code);
  }
  console.log(output.percent, text, statuses, new Verifier('whsec_x'));
}
main();
""")
    modules = f"{TYPESCRIPT}/node_modules"
    command = [NODE, f"{modules}/typescript/bin/tsc", "--strict", "--noEmit", "--skipLibCheck", "--module", "nodenext"]
    command += ["--typeRoots", f"{modules}/@types", "--types", "node", "use.ts"]
    run(command, environment.work / "cache", cwd=environment.work)
    declared = set((environment.work / "node_modules/carrel/index.d.ts").read_text().split())
    exported = json.loads(environment.run("console.log(JSON.stringify(Object.keys(carrel)))").stdout)
    assert {name for name in exported if name not in declared} <= {"open", "openSync", "version"}


def test_a_servers_socket_is_opened_with_its_token_and_told_of_events(environment, tmp_path):
    shop = LocalShop(tmp_path).start()
    try:
        where, token = json.dumps(f"unix:{shop.socket}"), json.dumps(shop.token)
        done = environment.run(
            f"""
const app = await carrel.open({where}, {{ token: {token}, app: 'shop.localhost' }});
assert.deepEqual(await app.call('echo', {{ n: 1 }}), {{ n: 1 }});
assert.equal((await app.emit('ordered', {{ order: 1 }})).deliveries, 1);
assert.equal(await code(() => app.emit('echo', {{}})), 'invalid_argument');
assert.equal(await code(() => app.emit('none', {{}})), 'not_found');
app.close();
assert.equal(await code(() => app.emit('ordered', {{}})), 'closed');
assert.equal(await code(() => carrel.open({where}, {{ token: 'wrong' }})), 'unauthenticated');
const own = await carrel.open(folder);
assert.equal(await code(() => own.emit('echo', {{}})), 'needs_server');
console.log('done');
"""
        )
        assert done.stdout == "done\n", done.stderr
    finally:
        shop.server.stop()
