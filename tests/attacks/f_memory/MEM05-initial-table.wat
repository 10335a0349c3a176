;; MEM05 starts with a table of a hundred million elements
;; expect = ["limited:table", "trapped"]
;; --- twin
(module (memory (export "memory") 1) (table 1000 funcref) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (table 100000000 funcref) (func (export "_start")))
