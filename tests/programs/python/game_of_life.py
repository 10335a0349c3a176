# Conway's game of life on a torus
from itertools import product


class Life:
    def __init__(self, rows):
        self.height = len(rows)
        self.width = len(rows[0])
        self.cells = {(y, x) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == "#"}
        self.generation = 0

    def neighbours(self, y, x):
        return sum(
            ((y + dy) % self.height, (x + dx) % self.width) in self.cells
            for dy, dx in product((-1, 0, 1), repeat=2)
            if (dy, dx) != (0, 0)
        )

    def step(self):
        self.cells = {
            (y, x)
            for y, x in product(range(self.height), range(self.width))
            if self.neighbours(y, x) in ((2, 3) if (y, x) in self.cells else (3,))
        }
        self.generation += 1

    def __str__(self):
        return "\n".join(
            "".join("█" if (y, x) in self.cells else "·" for x in range(self.width)) for y in range(self.height)
        )


glider = Life(["..........", "..#.......", "...#......", ".###......", "..........", "..........", "..........", ".........."])
for _ in range(3):
    print(f"generation {glider.generation}, alive {len(glider.cells)}")
    print(glider)
    for _ in range(4):
        glider.step()

blinker = Life([".....", "..#..", "..#..", "..#..", "....."])
states = [frozenset(blinker.cells)]
while True:
    blinker.step()
    state = frozenset(blinker.cells)
    if state in states:
        print("period", blinker.generation - states.index(state))
        break
    states.append(state)
