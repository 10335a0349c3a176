;; MEM05 grows several tables, each a little
;; expect = ["limited:table"]
;; --- twin
(module (memory (export "memory") 1) (table 1 funcref) (table 1 funcref) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (table $a 1 funcref) (table $b 1 funcref) (table $c 1 funcref)
  (func (export "_start")
    (loop $again
      (drop (table.grow $a (ref.null func) (i32.const 9999)))
      (drop (table.grow $b (ref.null func) (i32.const 9999)))
      (br_if $again (i32.ne (table.grow $c (ref.null func) (i32.const 9999)) (i32.const -1))))
    unreachable))
