;; STK01 recurses without end
;; expect = ["limited:stack"]
;; --- twin
(module (memory (export "memory") 1)
  (func $down (param i32) (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1))))))
  (func (export "_start") (call $down (i32.const 1000))))
;; --- attack
(module (memory (export "memory") 1) (func $down (call $down) (call $down)) (func (export "_start") (call $down)))
