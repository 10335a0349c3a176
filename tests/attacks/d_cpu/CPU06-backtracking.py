# CPU06 matches an expression that backtracks for ever
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["limited:fuel", "limited:wall"]
# --- twin
import re
assert re.match("(a+)+$", "a" * 40)
print("ok")
# --- attack
import re
re.match("(a+)+$", "a" * 40 + "b")
