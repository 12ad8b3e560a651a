// What this program needs of WASI preview 1: standard input and output.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, vectors: usize, count: i32, read: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, vectors: usize, count: i32, written: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "proc_exit")
declare function proc_exit(code: i32): void;

const result = memory.data(8);
const vector = memory.data(8);

/** As much of the input as fits, which is more than a product has. */
export function readInput(): string {
  const room = new StaticArray<u8>(16384);
  let size = 0;
  while (size < room.length) {
    store<usize>(vector, changetype<usize>(room) + size);
    store<i32>(vector + 4, room.length - size);
    if (fd_read(0, vector, 1, result) != 0 || load<i32>(result) == 0) break;
    size += load<i32>(result);
  }
  return String.UTF8.decodeUnsafe(changetype<usize>(room), size);
}

export function print(text: string): void {
  const bytes = String.UTF8.encode(text);
  store<usize>(vector, changetype<usize>(bytes));
  store<i32>(vector + 4, bytes.byteLength);
  if (fd_write(1, vector, 1, result) != 0) proc_exit(1);
}

/** What `assert` and bounds checks call: see --use in build.sh. */
export function abort(message: string | null, file: string | null, line: u32, column: u32): void {
  proc_exit(1);
}
