;; SEC01 prints its whole environment and its arguments
;; expect = ["virtual"]
;; --- twin
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (if (call $sizes (i32.const 0) (i32.const 4)) (then unreachable))))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $asizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $aget (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 2)
  (func (export "_start")
    (drop (call $sizes (i32.const 0) (i32.const 4)))
    (drop (call $get (i32.const 1024) (i32.const 4096)))
    (drop (call $asizes (i32.const 16) (i32.const 20)))
    (drop (call $aget (i32.const 70000) (i32.const 74000)))
    (i32.store (i32.const 32) (i32.const 4096))
    (i32.store (i32.const 36) (i32.load (i32.const 4)))
    (i32.store (i32.const 40) (i32.const 74000))
    (i32.store (i32.const 44) (i32.load (i32.const 20)))
    (drop (call $write (i32.const 1) (i32.const 32) (i32.const 2) (i32.const 48)))))
