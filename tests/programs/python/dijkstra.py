# shortest paths in a weighted graph, with a priority queue
import heapq
import math
from typing import NamedTuple


class Edge(NamedTuple):
    to: str
    cost: float


GRAPH = {
    "A": [Edge("B", 7), Edge("C", 9), Edge("F", 14)],
    "B": [Edge("A", 7), Edge("C", 10), Edge("D", 15)],
    "C": [Edge("A", 9), Edge("B", 10), Edge("D", 11), Edge("F", 2)],
    "D": [Edge("B", 15), Edge("C", 11), Edge("E", 6)],
    "E": [Edge("D", 6), Edge("F", 9)],
    "F": [Edge("A", 14), Edge("C", 2), Edge("E", 9)],
    "Z": [],
}


def dijkstra(graph, start):
    distance = {node: math.inf for node in graph} | {start: 0}
    previous = {}
    queue = [(0, start)]
    while queue:
        so_far, node = heapq.heappop(queue)
        if so_far > distance[node]:
            continue
        for edge in graph[node]:
            new = so_far + edge.cost
            if new < distance[edge.to]:
                distance[edge.to] = new
                previous[edge.to] = node
                heapq.heappush(queue, (new, edge.to))
    return distance, previous


def path(previous, end):
    route = [end]
    while route[-1] in previous:
        route.append(previous[route[-1]])
    return " -> ".join(reversed(route))


distance, previous = dijkstra(GRAPH, "A")
for node in sorted(distance, key=distance.get):
    print(f"{node}: {distance[node]:>5} via {path(previous, node)}")
print(GRAPH["A"][0], Edge("X", cost=1.5)._asdict())


def floyd_warshall(graph):
    nodes = list(graph)
    table = {(a, b): 0 if a == b else math.inf for a in nodes for b in nodes}
    for a, edges in graph.items():
        for b, cost in edges:
            table[a, b] = min(table[a, b], cost)
    for k in nodes:
        for i in nodes:
            for j in nodes:
                table[i, j] = min(table[i, j], table[i, k] + table[k, j])
    return table


table = floyd_warshall(GRAPH)
for a in GRAPH:
    print(a, *(f"{table[a, b]:4.0f}" for b in GRAPH))
