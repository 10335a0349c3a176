# OUT07 raises an exception with a message of a hundred megabytes
# limits = { memory = "512MiB", value = "64KiB", fuel = 50_000_000_000, wall = "10s" }
# expect = ["limited:output", "limited:memory", "denied"]
# --- twin
print("ok")
# --- attack
raise ValueError("x" * (100 << 20))
