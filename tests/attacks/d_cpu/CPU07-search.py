# CPU07 searches for texts in texts
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["limited:fuel", "limited:wall", "limited:memory"]
# --- twin
assert "a" * 10 + "b" in "a" * 100 + "b"
print("ok")
# --- attack
for _ in range(1000):
    ("a" * 10 ** 6 + "b") in "a" * 10 ** 7
    "a" * 10 ** 7 in ("a" * (10 ** 7 - 1) + "b") * 2
