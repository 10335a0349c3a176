;; CPU01 never ends
;; limits = { fuel = 300_000_000 }
;; expect = ["limited:fuel"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))
