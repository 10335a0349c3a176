;; MEM08 writes through a hundred thousand vectors of a gigabyte together
;; expect = ["limited:output", "limited:host_allocation", "limited:fuel", "limited:wall", "trapped", "virtual"]
;; --- twin
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 100) "ok\n")
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 100))
    (i32.store (i32.const 4) (i32.const 3))
    (if (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)) (then unreachable))))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 300)
  (func (export "_start") (local $i i32)
    (loop $again
      (i32.store (i32.mul (local.get $i) (i32.const 8)) (i32.const 1000000))
      (i32.store (i32.add (i32.mul (local.get $i) (i32.const 8)) (i32.const 4)) (i32.const 10000000))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 100000))))
    (loop $more
      (drop (call $write (i32.const 1) (i32.const 0) (i32.const 100000) (i32.const 900000)))
      (br $more))))
