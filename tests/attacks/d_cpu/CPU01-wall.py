# CPU01 has so much fuel that the clock must end it
# limits = { fuel = 1_000_000_000_000, wall = "500ms" }
# expect = ["limited:wall"]
# --- twin
print("ok")
# --- attack
while True:
    pass
