# OUT07 leaves a value of a hundred megabytes
# limits = { memory = "512MiB", value = "64KiB", fuel = 50_000_000_000, wall = "10s" }
# expect = ["virtual", "limited:memory", "denied"]
# --- twin
print("ok")
"x" * 100
# --- attack
"x" * (100 << 20)
