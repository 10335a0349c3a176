# OUT07 leaves a value of a hundred megabytes
# limits = { memory = "512MiB", value = "64KiB" }
# expect = ["virtual", "limited:memory", "denied"]
# --- twin
print("ok")
"x" * 100
# --- attack
"x" * (100 << 20)
