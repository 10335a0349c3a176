# classes, protocols, context managers, decorators
import abc
import contextlib
import functools
from typing import Generic, Protocol, TypeVar


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...


class Square(Shape):
    __slots__ = ("side",)

    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2

    def __eq__(self, other):
        return isinstance(other, Square) and self.side == other.side

    @functools.cached_property
    def broken(self):
        return 1

    @classmethod
    def unit(cls):
        return cls(1)


print(Square(3).area(), Square(2) == Square(2), Square.unit().side)
try:
    Shape()
except TypeError as error:
    print("abstract" in str(error))


@contextlib.contextmanager
def told(name):
    print("enter", name)
    try:
        yield name
    finally:
        print("leave", name)


with told("a") as a, contextlib.suppress(ValueError):
    raise ValueError(a)


class Meta(type):
    def __new__(cls, name, bases, members, **options):
        made = super().__new__(cls, name, bases, members)
        made.options = options
        return made


class Made(metaclass=Meta, flag=True):
    def __getattr__(self, name):
        return f"no {name}"


print(Made.options, Made().anything)


def stack[T](items: list[T]) -> T:
    return items[-1]


match {"kind": "point", "at": [1, 2]}:
    case {"kind": "point", "at": [x, y]} if x < y:
        print("point", x, y, stack([3]))
