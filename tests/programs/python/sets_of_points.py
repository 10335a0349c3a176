# sets and dictionaries with tuples, numbers and frozensets, in their own order
points = {(x, y) for x in range(3) for y in range(3) if x != y}
print(points)
for point in points:
    print(point, end=" ")
print()
print({1, 5, 3, 100, 64, 33, -1}, {10**10, 5, 2**33}, {0.5, 2.0, 1.25, 100.75})
print(set(range(20, 0, -3)), set([True, 1, 1.0]), {None} | {False})
a, b = {(0, 1), (1, 2), (2, 3)}, {(1, 2), (3, 4)}
print(a & b, a - b, a ^ b, a | b)
grid = {(row, column): row * column for row in range(1, 4) for column in range(1, 4)}
print(grid)
print({value for value in grid.values()}, {frozenset([1, 2]), frozenset([3])})
edges = {frozenset(edge) for edge in [(1, 2), (2, 1), (2, 3), (4, 5)]}
print(sorted(map(sorted, edges)), len(edges))


def neighbours(cell, cells):
    row, column = cell
    return {(row + dr, column + dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1) if (dr or dc)} & cells


def islands(cells):
    cells = set(cells)
    while cells:
        queue = [cells.pop()]
        island = set(queue)
        while queue:
            found = neighbours(queue.pop(), cells)
            cells -= found
            island |= found
            queue.extend(found)
        yield island


world = {(0, 0), (0, 1), (1, 1), (4, 4), (5, 5), (9, 0)}
for island in islands(world):
    print(len(island), island)
print(hash((1, 2)), hash(1.5), hash(2**61 - 1), hash(frozenset([1, 2, 3])), hash(10**20), hash(None) is not None)
visited = set()
for step in range(12):
    visited.add((step * 7 % 5, step * 3 % 4))
print(list(visited))
print(min(visited), max(visited), {(1,): "a", (): "b"}, dict.fromkeys({3, 1, 2}, 0))
