;; MEM08 opens and makes paths of 110 KB
;; expect = ["virtual", "trapped", "limited:host_allocation"]
;; --- twin
(module
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "d")
  (func (export "_start") (if (call $mkdir (i32.const 3) (i32.const 0) (i32.const 1)) (then unreachable))))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $link (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (memory (export "memory") 300)
  (func (export "_start") (local $i i32)
    (memory.fill (i32.const 0) (i32.const 97) (i32.const 18000000))
    (loop $again
      (if (i32.eqz (call $mkdir (i32.const 3) (i32.const 0) (i32.const 110000))) (then unreachable))
      (if (i32.eqz (call $link (i32.const 0) (i32.const 110000) (i32.const 3) (i32.const 0) (i32.const 5))) (then unreachable))
      (if (i32.eqz (call $open (i32.const 3) (i32.const 0) (i32.const 0) (i32.const 17000000) (i32.const 1) (i64.const 2) (i64.const 2) (i32.const 0) (i32.const 18000064))) (then unreachable))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 20))))))
