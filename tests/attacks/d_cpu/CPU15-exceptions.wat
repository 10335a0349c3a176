;; CPU15 catches its own exceptions for ever
;; limits = { fuel = 300_000_000 }
;; expect = ["limited:fuel", "trapped"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (tag $t)
  (func (export "_start")
    (loop $again
      (block $caught (try_table (catch $t $caught) (throw $t)))
      (br $again))))
