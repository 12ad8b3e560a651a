// What this program needs of WASI preview 1: environment, files, standard input and output.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
declare function environ_sizes_get(count: usize, bytes: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
declare function environ_get(pointers: usize, text: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_get")
declare function fd_prestat_get(fd: i32, prestat: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
declare function fd_prestat_dir_name(fd: i32, path: usize, length: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_open")
declare function path_open(folder: i32, lookup: i32, path: usize, length: i32, open: i32,
                           rights: u64, inheriting: u64, flags: i32, fd: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, vectors: usize, count: i32, read: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, vectors: usize, count: i32, written: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_close")
declare function fd_close(fd: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;

const RIGHT_READ: u64 = 1 << 1;
const STDIN: i32 = 0;
const STDOUT: i32 = 1;
const STDERR: i32 = 2;

// Where the host puts results, and the one vector of each read and write.
const result = memory.data(8);
const vector = memory.data(8);

/** A variable of the environment; empty if it is not set. */
export function variable(name: string): string {
  if (environ_sizes_get(result, result + 4) != 0) return "";
  const count = load<i32>(result);
  const pointers = new StaticArray<usize>(count);
  const text = new StaticArray<u8>(load<i32>(result + 4));
  if (environ_get(changetype<usize>(pointers), changetype<usize>(text)) != 0) return "";
  for (let i = 0; i < count; i++) {
    const pair = String.UTF8.decodeUnsafe(pointers[i], changetype<usize>(text) + text.length - pointers[i], true);
    if (pair.startsWith(name + "=")) return pair.substring(name.length + 1);
  }
  return "";
}

function write(fd: i32, text: string): void {
  const bytes = String.UTF8.encode(text);
  let at = changetype<usize>(bytes);
  let left = bytes.byteLength;
  while (left > 0) {
    store<usize>(vector, at);
    store<i32>(vector + 4, left);
    if (fd_write(fd, vector, 1, result) != 0) proc_exit(1);
    at += load<i32>(result);
    left -= load<i32>(result);
  }
}

export function print(text: string): void {
  write(STDOUT, text);
}

/** Ends the program with a message on standard error. */
export function fail(message: string): void {
  write(STDERR, message + "\n");
  proc_exit(1);
}

function readAll(fd: i32): string {
  const chunk = new StaticArray<u8>(4096);
  let all = new Uint8Array(0);
  while (true) {
    store<usize>(vector, changetype<usize>(chunk));
    store<i32>(vector + 4, chunk.length);
    if (fd_read(fd, vector, 1, result) != 0) break;
    const n = load<i32>(result);
    if (n == 0) break;
    const more = new Uint8Array(all.length + n);
    more.set(all);
    memory.copy(more.dataStart + all.length, changetype<usize>(chunk), n);
    all = more;
  }
  return String.UTF8.decode(all.buffer);
}

export function readInput(): string {
  return readAll(STDIN);
}

/** The file's text, or null. `path` is found below the folders that the host has opened. */
export function readFile(path: string): string | null {
  let best = -1;
  let bestLength = -1;
  for (let fd = 3; fd_prestat_get(fd, result) == 0; fd++) {
    const name = new StaticArray<u8>(load<i32>(result + 4));
    if (fd_prestat_dir_name(fd, changetype<usize>(name), name.length) != 0) continue;
    let folder = String.UTF8.decodeUnsafe(changetype<usize>(name), name.length);
    if (!folder.endsWith("/")) folder += "/";
    if (path.startsWith(folder) && folder.length > bestLength) {
      best = fd;
      bestLength = folder.length;
    }
  }
  if (best < 0) return null;
  const rest = String.UTF8.encode(path.substring(bestLength));
  if (path_open(best, 0, changetype<usize>(rest), rest.byteLength, 0, RIGHT_READ, 0, 0, result) != 0) {
    return null;
  }
  const fd = load<i32>(result);
  const text = readAll(fd);
  fd_close(fd);
  return text;
}

/** What `assert` and bounds checks call: see --use in build.sh. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  fail(`${file ? file : ""}:${line}:${column}: ${message ? message : "abort"}`);
}
