# descriptors, metaclasses, slots, ABCs, __getattr__ and operator overloading
import abc
import math
from typing import Protocol, runtime_checkable


class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name, 0)

    def __set__(self, instance, value):
        if not isinstance(value, (int, float)):
            raise TypeError(f"{self.name[1:]} must be a number, not {type(value).__name__}")
        if value < 0:
            raise ValueError(f"{self.name[1:]} must not be negative")
        setattr(instance, self.name, value)


class Registry(type):
    classes = {}

    def __new__(meta, name, bases, namespace, **options):
        cls = super().__new__(meta, name, bases, namespace)
        meta.classes[options.get("key", name.lower())] = cls
        return cls

    def __len__(cls):
        return len(cls.classes)


class Base(metaclass=Registry, key="base"):
    def __init_subclass__(cls, **options):
        print("subclass", cls.__name__, options)


class Box(Base):
    width = Positive()
    height = Positive()

    def __init__(self, width, height):
        self.width, self.height = width, height


class Vector:
    __slots__ = ("x", "y")
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y) if isinstance(other, Vector) else NotImplemented

    def __rmul__(self, k):
        return Vector(k * self.x, k * self.y)

    def __abs__(self):
        return math.hypot(self.x, self.y)

    def __bool__(self):
        return bool(self.x or self.y)

    def __iter__(self):
        return iter((self.x, self.y))

    def __hash__(self):
        return hash((self.x, self.y))

    def __eq__(self, other):
        return isinstance(other, Vector) and tuple(self) == tuple(other)

    def __repr__(self):
        return f"Vector({self.x!r}, {self.y!r})"


class Shape(abc.ABC):
    @property
    @abc.abstractmethod
    def area(self): ...

    @abc.abstractmethod
    def name(self): ...


class Square(Shape):
    def __init__(self, side):
        self.side = side

    @property
    def area(self):
        return self.side**2

    def name(self):
        return "square"


@runtime_checkable
class HasArea(Protocol):
    area: float


class Proxy:
    def __init__(self, target):
        self.__dict__["target"] = target

    def __getattr__(self, name):
        print("get", name)
        return getattr(self.target, name)

    def __setattr__(self, name, value):
        print("set", name, value)
        setattr(self.target, name, value)


def tried(action):
    try:
        print(action())
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


box = Box(2, 3)
print(box.width * box.height, vars(box), Registry.classes.keys(), len(Base), Box.width.name)
tried(lambda: Box(-1, 2))
tried(lambda: Box("1", 2))
tried(lambda: Shape())
tried(lambda: Vector(1, 2) + 3)
tried(lambda: setattr(Vector(1, 2), "z", 3))
tried(lambda: box.depth)
tried(lambda: box())
tried(lambda: Vector(1))
tried(lambda: len(5))
tried(lambda: "a" + 1)
tried(lambda: [1, 2][5])
tried(lambda: {}["k"])
tried(lambda: int("x1"))
tried(lambda: undefined_name)
tried(lambda: (1, 2).append(3))
tried(lambda: [3, "a"].sort())
tried(lambda: math.sqrt(-1))
print(3 * Vector(1, 2) + Vector(0, 1), abs(Vector(3, 4)), bool(Vector(0, 0)), {Vector(1, 2): 1}[Vector(1, 2)])
match Vector(0, 5):
    case Vector(0, y):
        print("on the axis at", y)
print(isinstance(Square(2), HasArea), isinstance(5, HasArea), Square(3).area, Square.__mro__, Shape.__abstractmethods__ == {"area", "name"})
proxy = Proxy(Square(4))
proxy.side = 5
print(proxy.area, Square.__subclasses__(), type("Dynamic", (Square,), {"extra": 1})(2).extra)
