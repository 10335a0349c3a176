;; FS11 closes every descriptor, renumbers onto the preopens, then goes on using them
;; expect = ["virtual", "trapped", "denied"]
;; --- twin
(module
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "d")
  (func (export "_start") (if (call $mkdir (i32.const 3) (i32.const 0) (i32.const 1)) (then unreachable))))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $renumber (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "../../etc/passwd")
  (func (export "_start") (local $i i32)
    (drop (call $open (i32.const 3) (i32.const 1) (i32.const 0) (i32.const 16) (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 64)))
    (drop (call $renumber (i32.const 1) (i32.const 3)))
    (drop (call $renumber (i32.const 3) (i32.const 3)))
    (drop (call $renumber (i32.const 2147483647) (i32.const 3)))
    (drop (call $renumber (i32.const 3) (i32.const 1000000)))
    (loop $again
      (drop (call $close (local.get $i)))
      (drop (call $close (local.get $i)))
      (drop (call $open (local.get $i) (i32.const 1) (i32.const 0) (i32.const 16) (i32.const 0) (i64.const -1) (i64.const -1) (i32.const 0) (i32.const 64)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 64))))
    (drop (call $renumber (i32.const 4) (i32.const 3)))))
