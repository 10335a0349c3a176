;; MEM04 grows its memory to all that can be addressed
;; limits = { memory = "16MiB" }
;; expect = ["limited:memory"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start") (if (i32.eq (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))))
;; --- attack
(module (memory (export "memory") 1)
  (func (export "_start")
    (if (i32.ne (memory.grow (i32.const 65000)) (i32.const -1)) (then (memory.fill (i32.const 0) (i32.const 1) (i32.const 2000000000))))
    (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
    unreachable))
