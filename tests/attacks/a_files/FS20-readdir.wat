;; FS20 lists folders with tiny and huge buffers and impossible cookies
;; expect = ["virtual", "trapped", "denied"]
;; --- twin
(module
  (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (if (call $readdir (i32.const 3) (i32.const 1024) (i32.const 4096) (i64.const 0) (i32.const 0)) (then unreachable))))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "fd_readdir" (func $readdir (param i32 i32 i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start") (local $i i32)
    (loop $again
      (i32.store8 (i32.const 100) (i32.add (i32.const 97) (local.get $i)))
      (drop (call $mkdir (i32.const 3) (i32.const 100) (i32.const 1)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 20))))
    (drop (call $readdir (i32.const 3) (i32.const 1024) (i32.const 0) (i64.const 0) (i32.const 0)))
    (drop (call $readdir (i32.const 3) (i32.const 1024) (i32.const 1) (i64.const 0) (i32.const 0)))
    (drop (call $readdir (i32.const 3) (i32.const 1024) (i32.const 23) (i64.const 3) (i32.const 0)))
    (drop (call $readdir (i32.const 3) (i32.const 1024) (i32.const 4096) (i64.const -1) (i32.const 0)))
    (drop (call $readdir (i32.const 3) (i32.const 1024) (i32.const 4096) (i64.const 9223372036854775807) (i32.const 0)))
    (drop (call $readdir (i32.const 1) (i32.const 1024) (i32.const 4096) (i64.const 0) (i32.const 0)))
    (drop (call $readdir (i32.const 3) (i32.const 1024) (i32.const -1) (i64.const 0) (i32.const 0)))))
