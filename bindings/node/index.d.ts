/** What JSON can say. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface OpenOptions {
  /** Given what modules write to their standard error, and why they failed; without it, NODE_DEBUG=carrel shows them. */
  log?: (line: { event: string; tenant?: string; module?: string; call?: number; text: string }) => void;
  /** Told what functions of the application throw; without it, console.error is. */
  onFunctionError?: (name: string, thrown: unknown) => void;
  /** Where compiled code is kept, and what compiles it: for the whole process. */
  cache?: string;
  compiler?: string;
  /** Of a server's socket: the bearer token, else the one in the file that CARREL_TOKEN_FILE names. */
  token?: string;
  /** Of a server's socket: the app's host name, where the server has several with hook points. */
  app?: string;
}
export interface CallOptions {
  /** Whose modules are asked, with those of tenants above it: "shop/merchant-17"; all without it. */
  tenant?: string;
  /** Shortens the point's deadline, in milliseconds. */
  timeout?: number;
}
export interface FunctionOptions {
  /** JSON Schema (2020-12) of the input. */
  schema?: object | boolean;
  /** For one call, in milliseconds. */
  timeout?: number;
  /** Calls a second, of each binding; 1,000. */
  rate?: number;
}
export interface Run {
  binding: string;
  tenant: string;
  status: string;
  micros: number;
  code?: string;
}
export interface Reply {
  output: any;
  runs: Run[];
}
export interface Point {
  point: string;
  combine: string;
  bindings: { name: string; tenant: string }[];
}

/**
 * Opens a folder with carrel.toml; its modules are compiled on another thread, once. Or a local server's socket,
 * "unix:/path".
 */
export function open(folder: string, options?: OpenOptions): Promise<App>;
export function openSync(folder: string, options?: OpenOptions): App;

export class App {
  private constructor();
  /** Asks the modules at `point`, on threads of the library. `input` is a value for JSON; bytes are JSON already. */
  call(point: string, input?: unknown, options?: CallOptions): Promise<any>;
  /** The same on this thread: faster, and the loop is held up, by the point's deadline at most. */
  callSync(point: string, input?: unknown, options?: CallOptions): any;
  /** From JSON text to JSON text. */
  callRaw(point: string, text: string | Uint8Array, options?: CallOptions): Promise<string>;
  callRawSync(point: string, text: string | Uint8Array, options?: CallOptions): string;
  /** callSync with what came of each module. */
  askSync(point: string, input?: unknown, options?: CallOptions): Reply;
  /**
   * Modules of points that say functions = ["NAME"] call the function as /app/NAME. It runs on the loop, in the async
   * context of the call, and may return a promise, but not below callSync. What it throws fails the module's call.
   */
  provide(name: string, fn: (input: any) => unknown, options?: FunctionOptions): this;
  /**
   * Tells a point of kind "event", at a server's socket; resolves when it is on the server's disk. `event` is a value for
   * JSON, a CloudEvent as well.
   */
  emit(point: string, event: unknown, options?: { tenant?: string }): Promise<{ id: string; deliveries: number }>;
  points(): Point[];
  /** Calls in progress run to their end. Closed twice is closed. */
  close(): void;
}

/** `code` is a stable name such as "not_found"; `help` says what to do, or is "". */
export class CarrelError extends Error {
  readonly code: string;
  readonly help: string;
  readonly details: { binding?: string; problems?: { at: string; message: string }[]; runs?: Run[] };
}
/** The input is not what the point takes: `details.problems` names the places. No module was asked. */
export class InputRefused extends CarrelError {}
/** A module did badly, and the point says that the call then fails. */
export class ModuleFailed extends CarrelError {
  readonly binding: string | undefined;
}
export class Closed extends CarrelError {}
/** Thrown by a function of the application: its text is a reason that the module's owner may see. */
export class Refusal extends Error {}

export const version: string;
