# CPU01 never ends
# limits = { fuel = 300_000_000 }
# expect = ["limited:fuel"]
# --- twin
total = 0
for number in range(10_000):
    total += number
assert total == 49_995_000
print("ok")
# --- attack
while True:
    pass
