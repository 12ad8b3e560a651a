// Calls hook points, at which your customers' Wasm modules run, in this process; see README.md and index.d.ts.
'use strict';
const { AsyncLocalStorage, AsyncResource } = require('node:async_hooks');
const { resolve: absolute } = require('node:path');
const { debuglog, types } = require('node:util');
const native = require('./lib/carrel.node');

const debug = debuglog('carrel');
const NONE = 0n;

// What libcarrel says: `code` is a stable name such as "not_found".
class CarrelError extends Error {
  constructor(code, message, help = '', details = {}) {
    super(help ? `${message} (${help})` : message);
    this.code = code;
    this.help = help;
    this.details = details;
  }
  get name() {
    return this.constructor.name;
  }
}
// The input is not what the point takes: details.problems names the places. No module was asked.
class InputRefused extends CarrelError {}
// A module did badly, and the point says that the call then fails.
class ModuleFailed extends CarrelError {
  get binding() {
    return this.details.binding;
  }
}
class Closed extends CarrelError {}
// Thrown by a function of the application: its text is a reason that the module's owner may see.
class Refusal extends Error {}

const CLASSES = { hook_input: InputRefused, closed: Closed };

function failure(code, message, help, details) {
  const kind = CLASSES[code] ?? (/^(guest|hook)_/.test(code) ? ModuleFailed : CarrelError);
  return new kind(code, message, help, JSON.parse(details));
}

// Which call of a function something is part of, until the function has answered.
const underway = new AsyncLocalStorage();
let provides = false;
const within = () => (provides ? (underway.getStore()?.call ?? NONE) : NONE);

class Provided {
  constructor(name, fn, failed) {
    this.name = name;
    this.fn = fn;
    this.failed = failed;
  }

  // Inside of callSync: nothing can be waited for.
  here(call, text) {
    const here = { call };
    underway.run(here, () => {
      try {
        const value = this.fn(JSON.parse(text));
        if (types.isPromise(value)) {
          value.catch(() => {});
          throw new TypeError('it returned a promise, which callSync cannot wait for: await app.call');
        }
        this.answer(call, value);
      } catch (thrown) {
        this.refuse(call, thrown);
      }
    });
    here.call = NONE;
  }

  // On the loop.
  start(call, text) {
    const here = { call };
    underway.run(here, async () => {
      try {
        this.answer(call, await this.fn(JSON.parse(text)));
      } catch (thrown) {
        this.refuse(call, thrown);
      }
      here.call = NONE;
    });
  }

  answer(call, value) {
    native.answer(call, textOf(value));
  }

  refuse(call, thrown) {
    if (thrown instanceof Refusal) return native.refuse(call, thrown.message.replaceAll('\0', ' '));
    // Its text may hold what is the application's alone.
    native.refuse(call, `it threw ${(thrown instanceof Error && thrown.constructor.name) || typeof thrown}`.slice(0, 200));
    return this.failed(this.name, thrown);
  }
}

native.start((waiter, entry, first, second) => {
  if (entry !== undefined) {
    if (waiter.resource) waiter.resource.runInAsyncScope(entry.start, null, first, second);
    else entry.start(first, second);
  } else if (first !== undefined) {
    waiter.reject(first);
  } else {
    waiter.resolve(second);
  }
}, failure);

function textOf(value) {
  if (value instanceof Uint8Array) return value;
  return JSON.stringify(value) ?? 'null';
}

function millis(value = 0) {
  if (!(value >= 0)) throw new RangeError('a timeout is a number of milliseconds');
  return value > 0 ? Math.min(Math.max(1, Math.round(value)), 0xffffffff) : 0;
}

function opening(folder, { cache, compiler, token, app, log = (line) => debug('%j', line) } = {}) {
  // A folder wherever the process goes later; the socket of a server ("unix:/path") as it is.
  const place = String(folder);
  const where = place.startsWith('unix:') ? place : absolute(place);
  return [where, cache, compiler, token, app, (line) => log(JSON.parse(line))];
}

class App {
  #handle;
  #failed;

  constructor(handle, { onFunctionError } = {}) {
    this.#handle = handle;
    this.#failed = onFunctionError ?? ((name, thrown) => console.error(`carrel: the function ${name} failed:`, thrown));
  }

  async call(point, input, options) {
    return JSON.parse(await this.#call(point, textOf(input), options));
  }

  callSync(point, input, options) {
    return JSON.parse(this.#callSync(point, textOf(input), options, false));
  }

  callRaw(point, text, options) {
    return this.#call(point, text, options);
  }

  callRawSync(point, text, options) {
    return this.#callSync(point, text, options, false);
  }

  askSync(point, input, options) {
    const [text, details] = this.#callSync(point, textOf(input), options, true);
    return { output: JSON.parse(text), runs: JSON.parse(details).runs };
  }

  async emit(point, event, { tenant } = {}) {
    return JSON.parse(await native.emit(this.#handle, point, textOf(event), tenant));
  }

  provide(name, fn, { schema, timeout, rate = 0 } = {}) {
    if (typeof fn !== 'function') throw new TypeError('a function is provided');
    const provided = new Provided(name, fn, this.#failed);
    const entry = (call, text) => provided.here(call, text);
    entry.start = (call, text) => provided.start(call, text);
    const text = schema === undefined ? undefined : JSON.stringify(schema);
    native.provide(this.#handle, name, text, millis(timeout), rate, entry);
    provides = true;
    return this;
  }

  points() {
    return JSON.parse(native.points(this.#handle)).points;
  }

  close() {
    try {
      native.close(this.#handle);
    } catch (error) {
      if (!(error instanceof Closed)) throw error;
    }
  }

  #call(point, text, { tenant, timeout } = {}) {
    return new Promise((resolve, reject) => {
      const waiter = { resolve, reject, resource: provides ? new AsyncResource('carrel.call') : undefined };
      native.call(this.#handle, point, text, tenant, millis(timeout), within(), waiter);
    });
  }

  #callSync(point, text, { tenant, timeout } = {}, details) {
    return native.callSync(this.#handle, point, text, tenant, millis(timeout), within(), details);
  }
}

async function open(folder, options) {
  return new App(await native.open(...opening(folder, options)), options);
}

function openSync(folder, options) {
  return new App(native.openSync(...opening(folder, options)), options);
}

module.exports = { open, openSync, App, CarrelError, InputRefused, ModuleFailed, Closed, Refusal, version: native.version };
