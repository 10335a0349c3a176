;; OUT02 writes nothing, without end
;; limits = { fuel = 500_000_000 }
;; expect = ["limited:fuel", "limited:wall"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "_start") (loop $again (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))) (br $again))))
