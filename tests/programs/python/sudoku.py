# solves sudoku by propagation and search
import sys

PUZZLE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
HARD = "4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......"
digits = "123456789"
rows = "ABCDEFGHI"


def cross(a, b):
    return [x + y for x in a for y in b]


squares = cross(rows, digits)
unit_list = (
    [cross(rows, c) for c in digits]
    + [cross(r, digits) for r in rows]
    + [cross(rs, cs) for rs in ("ABC", "DEF", "GHI") for cs in ("123", "456", "789")]
)
units = {s: [u for u in unit_list if s in u] for s in squares}
peers = {s: set(sum(units[s], [])) - {s} for s in squares}
steps = 0


def parse(grid):
    values = dict.fromkeys(squares, digits)
    for square, digit in zip(squares, grid, strict=True):
        if digit in digits and not assign(values, square, digit):
            return None
    return values


def assign(values, square, digit):
    others = values[square].replace(digit, "")
    return values if all(eliminate(values, square, other) for other in others) else None


def eliminate(values, square, digit):
    if digit not in values[square]:
        return values
    values[square] = values[square].replace(digit, "")
    if not values[square]:
        return None
    if len(values[square]) == 1 and not all(eliminate(values, peer, values[square]) for peer in peers[square]):
        return None
    for unit in units[square]:
        places = [s for s in unit if digit in values[s]]
        if not places or (len(places) == 1 and not assign(values, places[0], digit)):
            return None
    return values


def search(values):
    global steps
    steps += 1
    if values is None:
        return None
    if all(len(values[s]) == 1 for s in squares):
        return values
    square = min((s for s in squares if len(values[s]) > 1), key=lambda s: (len(values[s]), s))
    for digit in values[square]:
        if found := search(assign(values.copy(), square, digit)):
            return found
    return None


for puzzle in (PUZZLE, HARD):
    solved = search(parse(puzzle))
    for index, row in enumerate(rows):
        if index in (3, 6):
            print("------+-------+------")
        cells = [solved[row + c] for c in digits]
        print(" | ".join(" ".join(cells[i : i + 3]) for i in (0, 3, 6)))
    print("steps", steps, file=sys.stdout)
