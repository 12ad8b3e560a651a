;; Says on standard error what the log should show, and traps. The outside sees 502 and an id to
;; find this in the log, but not the text.
(module
  (import "wasi_snapshot_preview1" "fd_write"
    (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "\10\00\00\00\1f\00\00\00")   ;; one vector: 31 bytes at 16
  (data (i32.const 16) "the till is on fire: giving up\0a")
  (func (export "_start")
    (drop (call $fd_write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 8)))
    unreachable))
