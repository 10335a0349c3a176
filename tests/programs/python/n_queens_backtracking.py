# backtracking: queens, subsets with a sum, knight's tour, word search, knapsack
from functools import cache


def queens(n, row=0, columns=(), diagonals=(), anti=()):
    if row == n:
        yield columns
        return
    for column in range(n):
        if column not in columns and row - column not in diagonals and row + column not in anti:
            yield from queens(n, row + 1, columns + (column,), diagonals + (row - column,), anti + (row + column,))


def show(columns):
    for column in columns:
        print("." * column + "Q" + "." * (len(columns) - column - 1))


def subset_sums(numbers, target, chosen=()):
    if target == 0:
        yield chosen
    for index, number in enumerate(numbers):
        if number <= target:
            yield from subset_sums(numbers[index + 1 :], target - number, chosen + (number,))


def knights_tour(size):
    moves = [(1, 2), (2, 1), (-1, 2), (-2, 1), (1, -2), (2, -1), (-1, -2), (-2, -1)]
    board = [[0] * size for _ in range(size)]

    def free(y, x):
        return [(y + dy, x + dx) for dy, dx in moves if 0 <= y + dy < size and 0 <= x + dx < size and not board[y + dy][x + dx]]

    y = x = 0
    for step in range(1, size * size + 1):
        board[y][x] = step
        options = free(y, x)
        if not options:
            return board, step
        y, x = min(options, key=lambda place: (len(free(*place)), place))
    return board, step


def find_word(grid, word):
    def search(y, x, index, seen):
        if index == len(word):
            return seen
        if not (0 <= y < len(grid) and 0 <= x < len(grid[0])) or (y, x) in seen or grid[y][x] != word[index]:
            return None
        for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            if found := search(y + dy, x + dx, index + 1, seen + [(y, x)]):
                return found
        return None

    return next((found for y in range(len(grid)) for x in range(len(grid[0])) if (found := search(y, x, 0, []))), None)


def knapsack(items, capacity):
    @cache
    def best(index, left):
        if index == len(items):
            return 0, ()
        name, weight, value = items[index]
        without = best(index + 1, left)
        if weight > left:
            return without
        worth, names = best(index + 1, left - weight)
        return max(without, (worth + value, (name, *names)))

    return best(0, capacity), best.cache_info().misses


for n in range(1, 8):
    solutions = list(queens(n))
    print(n, len(solutions))
show(next(queens(8)))
print(list(subset_sums([3, 34, 4, 12, 5, 2], 9)))
board, steps = knights_tour(6)
for row in board:
    print(" ".join(f"{cell:2}" for cell in row))
print(steps, find_word(["ABCE", "SFCS", "ADEE"], "ABCCED"), find_word(["AB"], "ABA"))
print(knapsack((("map", 9, 150), ("compass", 13, 35), ("water", 153, 200), ("sandwich", 50, 160), ("tent", 42, 70)), 200))


@cache
def edit(a, b):
    if not a or not b:
        return len(a or b)
    return min(edit(a[1:], b) + 1, edit(a, b[1:]) + 1, edit(a[1:], b[1:]) + (a[0] != b[0]))


def lcs(a, b):
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if x == y else max(table[i - 1][j], table[i][j - 1])
    return table[-1][-1]


print(edit("kitten", "sitting"), edit("", "abc"), lcs("AGGTAB", "GXTXAYB"))
