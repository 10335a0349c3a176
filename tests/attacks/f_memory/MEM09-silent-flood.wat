;; MEM09 writes to standard error without end while nobody listens
;; limits = { output = "64KiB", wall = "1s" }
;; expect = ["limited:output"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start")
    (i32.store (i32.const 0) (i32.const 0))
    (i32.store (i32.const 4) (i32.const 65536))
    (loop $again (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 32))) (br $again))))
