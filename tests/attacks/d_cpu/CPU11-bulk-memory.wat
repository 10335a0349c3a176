;; CPU11 moves a gigabyte with one instruction, again and again
;; limits = { fuel = 1_000_000_000, memory = "100MiB", wall = "1s" }
;; expect = ["limited:fuel", "limited:wall"]
;; --- twin
(module (memory (export "memory") 16) (func (export "_start") (memory.fill (i32.const 0) (i32.const 7) (i32.const 1000000))))
;; --- attack
(module (memory (export "memory") 1024)
  (func (export "_start")
    (loop $again
      (memory.fill (i32.const 0) (i32.const 7) (i32.const 67108864))
      (memory.copy (i32.const 1) (i32.const 0) (i32.const 67108863))
      (br $again))))
