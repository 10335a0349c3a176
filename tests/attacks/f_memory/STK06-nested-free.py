# STK06 frees a list that is nested three million deep
# limits = { fuel = 4_000_000_000 }
# expect = ["virtual", "limited:stack", "limited:fuel", "limited:memory"]
# --- twin
nested = []
for _ in range(1000):
    nested = [nested]
del nested
print("ok")
# --- attack
nested = []
for _ in range(1_000_000):
    nested = [nested]
nested = None
