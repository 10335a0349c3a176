;; MEM05 grows a table to a hundred million elements
;; expect = ["limited:table"]
;; --- twin
(module (memory (export "memory") 1) (table $t 1 funcref) (func (export "_start") (if (i32.eq (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1)) (then unreachable))))
;; --- attack
(module (memory (export "memory") 1) (table $t 1 funcref)
  (func (export "_start")
    (drop (table.grow $t (ref.null func) (i32.const 100000000)))
    (loop $again (br_if $again (i32.ne (table.grow $t (ref.null func) (i32.const 10000)) (i32.const -1))))
    unreachable))
