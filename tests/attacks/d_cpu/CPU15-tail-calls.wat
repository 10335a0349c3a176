;; CPU15 calls itself by tail calls for ever
;; limits = { fuel = 300_000_000 }
;; expect = ["limited:fuel", "trapped"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (func $a (return_call $a)) (func (export "_start") (return_call $a)))
