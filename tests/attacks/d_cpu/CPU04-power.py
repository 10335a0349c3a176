# CPU04 spends minutes inside one C loop
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["limited:fuel", "limited:wall", "limited:memory"]
# --- twin
assert len(str(10 ** 1000)) == 1001
print("ok")
# --- attack
10 ** 10 ** 8
