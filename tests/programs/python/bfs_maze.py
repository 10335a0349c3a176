# makes a maze with a seed, solves it by BFS and A*, and prints it
import heapq
import random
from collections import deque

WIDTH, HEIGHT = 15, 7
DIRECTIONS = {"N": (0, -1), "S": (0, 1), "E": (1, 0), "W": (-1, 0)}
OPPOSITE = dict(zip("NSEW", "SNWE"))


def carve(seed):
    rng = random.Random(seed)
    maze = {(x, y): set() for y in range(HEIGHT) for x in range(WIDTH)}
    stack, visited = [(0, 0)], {(0, 0)}
    while stack:
        x, y = stack[-1]
        options = [(d, (x + dx, y + dy)) for d, (dx, dy) in DIRECTIONS.items() if (x + dx, y + dy) in maze.keys() - visited]
        if not options:
            stack.pop()
            continue
        direction, place = rng.choice(options)
        maze[x, y].add(direction)
        maze[place].add(OPPOSITE[direction])
        visited.add(place)
        stack.append(place)
    return maze


def around(maze, place):
    for direction in sorted(maze[place]):
        dx, dy = DIRECTIONS[direction]
        yield place[0] + dx, place[1] + dy


def bfs(maze, start, goal):
    came, queue = {start: None}, deque([start])
    while queue:
        place = queue.popleft()
        if place == goal:
            break
        for near in around(maze, place):
            if near not in came:
                came[near] = place
                queue.append(near)
    path = []
    while place is not None:
        path.append(place)
        place = came[place]
    return path[::-1], len(came)


def a_star(maze, start, goal):
    guess = lambda place: abs(place[0] - goal[0]) + abs(place[1] - goal[1])
    queue, cost, visited = [(guess(start), start)], {start: 0}, 0
    while queue:
        _, place = heapq.heappop(queue)
        visited += 1
        if place == goal:
            return cost[place], visited
        for near in around(maze, place):
            if cost[place] + 1 < cost.get(near, 10**9):
                cost[near] = cost[place] + 1
                heapq.heappush(queue, (cost[near] + guess(near), near))


def draw(maze, path):
    on = set(path)
    print("┌" + "──" * WIDTH + "┐")
    for y in range(HEIGHT):
        cells = "".join(("●" if (x, y) in on else " ") + (" " if "E" in maze[x, y] else "│") for x in range(WIDTH))
        print("│" + cells)
        print("│" + "".join((" " if "S" in maze[x, y] else "─") + "┼" for x in range(WIDTH)))


for seed in (1, 42):
    maze = carve(seed)
    path, seen = bfs(maze, (0, 0), (WIDTH - 1, HEIGHT - 1))
    draw(maze, path)
    print(len(path), seen, a_star(maze, (0, 0), (WIDTH - 1, HEIGHT - 1)))


def topological(graph):
    degree = {node: 0 for node in graph}
    for targets in graph.values():
        for target in targets:
            degree[target] += 1
    ready, order = sorted(n for n, d in degree.items() if not d), []
    while ready:
        node = ready.pop(0)
        order.append(node)
        for target in graph[node]:
            degree[target] -= 1
            if not degree[target]:
                ready.append(target)
    if len(order) < len(graph):
        raise ValueError("cycle among " + ", ".join(sorted(set(graph) - set(order))))
    return order


print(topological({"shop": ["cook"], "cook": ["eat", "wash"], "eat": ["wash"], "wash": [], "plan": ["shop"]}))
try:
    topological({"a": ["b"], "b": ["c"], "c": ["b"]})
except ValueError as error:
    print(error)
from graphlib import CycleError, TopologicalSorter
print(tuple(TopologicalSorter({"d": {"b", "c"}, "b": {"a"}, "c": {"b"}}).static_order()))
try:
    TopologicalSorter({"a": {"b"}, "b": {"a"}}).prepare()
except CycleError as error:
    print(error.args[0], sorted(set(error.args[1])))
