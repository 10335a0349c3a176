;; CPU15 calls itself by tail calls through references for ever
;; limits = { fuel = 300_000_000 }
;; expect = ["limited:cpu", "trapped"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (type $f (func)) (elem declare func $a) (func $a (return_call_ref $f (ref.func $a))) (func (export "_start") (return_call $a)))
