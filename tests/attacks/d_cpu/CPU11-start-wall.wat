;; CPU11 loops in its start function with more fuel than time
;; limits = { fuel = 1_000_000_000_000, wall = "500ms" }
;; expect = ["limited:wall"]
;; --- twin
(module (memory (export "memory") 1) (func (export "_start")))
;; --- attack
(module (memory (export "memory") 1) (func $init (loop $again (br $again))) (start $init) (func (export "_start")))
