;; MEM08 polls for a hundred thousand things at once
;; limits = { wall = "1s" }
;; expect = ["limited:wall", "limited:host_allocation", "limited:fuel", "trapped", "virtual"]
;; --- twin
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 16) (i32.const 1))
    (i64.store (i32.const 24) (i64.const 1000))
    (if (call $poll (i32.const 0) (i32.const 1024) (i32.const 1) (i32.const 2048)) (then unreachable))))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 300)
  (func (export "_start") (local $i i32)
    (loop $again
      (i32.store (i32.add (i32.mul (local.get $i) (i32.const 48)) (i32.const 16)) (i32.const 1))
      (i64.store (i32.add (i32.mul (local.get $i) (i32.const 48)) (i32.const 24)) (i64.const 3600000000000))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100000))))
    (drop (call $poll (i32.const 0) (i32.const 10000000) (i32.const 100000) (i32.const 9999996)))))
