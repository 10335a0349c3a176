;; MEM08 asks for gigabytes of random bytes
;; expect = ["trapped", "virtual", "limited:host_allocation", "limited:fuel"]
;; --- twin
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (if (call $random (i32.const 0) (i32.const 64)) (then unreachable))))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
  (memory (export "memory") 1600)
  (func (export "_start") (loop $again (drop (call $random (i32.const 0) (i32.const 100000000))) (br $again))))
