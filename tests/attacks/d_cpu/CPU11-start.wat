;; CPU11 loops in its start function, before anything was called
;; limits = { fuel = 300_000_000 }
;; expect = ["limited:fuel"]
;; --- twin
(module (memory (export "memory") 1) (func $init) (start $init) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (func $init (loop $again (br $again))) (start $init) (func (export "_start")))
