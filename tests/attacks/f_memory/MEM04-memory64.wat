;; MEM04 wants 64-bit memory and several memories
;; expect = ["trapped"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module (memory (export "memory") i64 1) (memory 1) (memory 1) (func (export "_start") (drop (memory.grow (i64.const 100000000)))))
