;; CPU15 calls itself through references for ever; each step costs the engine more than its fuel, so the clock may be first
;; limits = { fuel = 300_000_000, wall = "1s" }
;; expect = ["limited:fuel", "limited:wall", "trapped"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (type $f (func)) (elem declare func $a) (func $a (return_call_ref $f (ref.func $a))) (func (export "_start") (return_call $a)))
