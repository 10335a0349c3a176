;; CPU11 copies and fills a table for ever
;; limits = { fuel = 1_000_000_000, wall = "1s" }
;; expect = ["limited:fuel", "limited:wall"]
;; --- twin
(module (memory (export "memory") 1) (table 1000 funcref) (func (export "_start") (table.fill (i32.const 0) (ref.null func) (i32.const 1000))))
;; --- attack
(module (memory (export "memory") 1) (table 90000 funcref)
  (func (export "_start")
    (loop $again
      (table.fill (i32.const 0) (ref.null func) (i32.const 90000))
      (table.copy (i32.const 1) (i32.const 0) (i32.const 89999))
      (br $again))))
