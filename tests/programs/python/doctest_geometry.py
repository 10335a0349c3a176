# geometry classes with doctests that are run and reported
"""Shapes.

>>> Point(1, 2) + Point(3, 4)
Point(x=4, y=6)
"""
import doctest
import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """A point.

    >>> Point(0, 0).distance(Point(3, 4))
    5.0
    >>> Point(1, "a").x
    1
    """

    x: float
    y: float

    def __add__(self, other):
        return Point(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return Point(self.x - other.x, self.y - other.y)

    def distance(self, other):
        return math.hypot(self.x - other.x, self.y - other.y)


class Polygon:
    def __init__(self, *points):
        """
        >>> Polygon(Point(0, 0))
        Traceback (most recent call last):
            ...
        ValueError: a polygon has 3 points or more, not 1
        """
        if len(points) < 3:
            raise ValueError(f"a polygon has 3 points or more, not {len(points)}")
        self.points = points

    @property
    def edges(self):
        return list(zip(self.points, self.points[1:] + self.points[:1]))

    @property
    def area(self):
        """
        >>> Polygon(Point(0, 0), Point(4, 0), Point(4, 3)).area
        6.0
        """
        return abs(sum(a.x * b.y - b.x * a.y for a, b in self.edges)) / 2

    @property
    def perimeter(self):
        return sum(a.distance(b) for a, b in self.edges)

    def contains(self, p):
        inside = False
        for a, b in self.edges:
            if (a.y > p.y) != (b.y > p.y) and p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x:
                inside = not inside
        return inside


def cross(o, a, b):
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x)


def convex_hull(points):
    """
    >>> [tuple(vars(p).values()) for p in convex_hull([Point(0, 0), Point(1, 1), Point(2, 0), Point(1, 3), Point(1, 0.5)])]
    [(0, 0), (2, 0), (1, 3)]
    """
    points = sorted(points, key=lambda p: (p.x, p.y))
    halves = []
    for order in (points, points[::-1]):
        half = []
        for p in order:
            while len(half) > 1 and cross(half[-2], half[-1], p) <= 0:
                half.pop()
            half.append(p)
        halves.append(half[:-1])
    return halves[0] + halves[1]


def wrong(n):
    """
    >>> wrong(2)  # doctest: +ELLIPSIS
    4...
    >>> sorted({3, 1})
    [1, 3]
    """
    return n * 2 + 0.5


square = Polygon(Point(0, 0), Point(2, 0), Point(2, 2), Point(0, 2))
print(square.area, square.perimeter, square.contains(Point(1, 1)), square.contains(Point(3, 1)), square.edges[0])
print(len(convex_hull([Point(x % 7, x * x % 11) for x in range(40)])))
print(doctest.testmod())
finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(verbose=False)
for test in finder.find(convex_hull, "hull", globs=globals()):
    print(test.name, len(test.examples), runner.run(test))
print(doctest.script_from_examples(wrong.__doc__))
