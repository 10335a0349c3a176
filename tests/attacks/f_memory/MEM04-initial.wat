;; MEM04 starts with more memory than granted
;; limits = { memory = "16MiB" }
;; expect = ["limited:memory", "trapped"]
;; --- twin
(module (memory (export "memory") 100) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 60000) (func (export "_start") (i32.store (i32.const 2000000000) (i32.const 1))))
