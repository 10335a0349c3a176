# OUT02 writes single bytes, ten million of them
# limits = { output = "64KiB" }
# expect = ["limited:output", "limited:fuel"]
# --- twin
print("ok")
# --- attack
import os
for _ in range(10_000_000):
    os.write(1, b"x")
