# CPU07 sorts with a comparison that never comes to an end
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["limited:fuel", "limited:wall"]
# --- twin
assert sorted([3, 1, 2]) == [1, 2, 3]
print("ok")
# --- attack
class Slow:
    def __lt__(self, other):
        return sum(range(10 ** 9)) > 0
sorted([Slow() for _ in range(1000)])
