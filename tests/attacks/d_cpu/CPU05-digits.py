# CPU05 turns a number of millions of digits into text
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["limited:fuel", "limited:wall", "limited:memory"]
# --- twin
assert str(1 << 100) == "1267650600228229401496703205376"
print("ok")
# --- attack
import sys
sys.set_int_max_str_digits(0)
print(len(str((1 << 10_000_000) - 1)))
