# CPU07 sums without end in C
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["limited:fuel", "limited:wall"]
# --- twin
assert sum(range(1000)) == 499_500
print("ok")
# --- attack
sum(range(10 ** 11))
