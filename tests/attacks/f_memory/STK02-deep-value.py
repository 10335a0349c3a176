# STK02 leaves a value that is nested too deeply
# expect = ["virtual", "denied", "limited:stack", "limited:memory", "limited:fuel"]
# --- twin
print("ok")
[[[]]]
# --- attack
nested = []
for _ in range(200_000):
    nested = [nested]
nested
