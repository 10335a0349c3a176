# compares the sizes of lists, generators, slots and strings
import sys
from array import array
from collections import namedtuple
from dataclasses import dataclass


class Plain:
    def __init__(self, x, y):
        self.x = x
        self.y = y


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


@dataclass(slots=True)
class Data:
    x: int
    y: int


Point = namedtuple("Point", "x y")

squares_list = [n * n for n in range(1000)]
squares_generator = (n * n for n in range(1000))
print(f"List size:      {sys.getsizeof(squares_list)} bytes")
print(f"Generator size: {sys.getsizeof(squares_generator)} bytes")
print(f"Range size:     {sys.getsizeof(range(1000))} bytes")
print(f"Sum: {sum(squares_generator)}")
for value in (0, 1, 2**31, 2**100, 1.5, "", "abc", "é", b"", (), (1, 2), [], [1, 2, 3], {}, {1: 2}, set(), None, True):
    print(f"{value!r:>35} {sys.getsizeof(value)}")
for cls in (Plain, Slotted, Data, Point):
    item = cls(1, 2)
    print(cls.__name__, sys.getsizeof(item), hasattr(item, "__dict__"))
print(sys.getsizeof(array("i", range(100))), array("l").itemsize, array("i").itemsize)
sizes = []
items = []
for n in range(20):
    items.append(n)
    sizes.append(sys.getsizeof(items))
print("growth:", sizes)
print(sys.maxsize, sys.int_info, sys.float_info.max, sys.byteorder, sys.maxunicode)
print(sys.getrefcount(items) >= 1, sys.implementation.name, sys.version_info[:2], sys.platform)
