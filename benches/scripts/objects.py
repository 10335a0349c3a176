class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)


total = Vector(0, 0)
for i in range(300_000):
    total = total + Vector(i, 1)
assert (total.x, total.y) == (44_999_850_000, 300_000)
