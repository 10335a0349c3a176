# CPU04 spends minutes inside one C loop
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["limited:fuel", "limited:wall", "limited:memory"]
# --- twin
assert (1 << 600) ** 3 == 1 << 1800
print("ok")
# --- attack
(1 << 60_000_000) ** 3
