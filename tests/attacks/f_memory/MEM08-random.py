# MEM08 asks for gigabytes of random bytes
# expect = ["denied", "limited:memory", "trapped", "limited:fuel", "limited:wall"]
# --- twin
import os
assert len(os.urandom(100_000)) == 100_000
print("ok")
# --- attack
import os
while True:
    os.urandom(1 << 26)
