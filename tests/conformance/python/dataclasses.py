# dataclasses and enums
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, Flag, auto


class Colour(Enum):
    RED = auto()
    BLUE = "blue"


class Right(Flag):
    READ = auto()
    WRITE = auto()


@dataclass(order=True, frozen=True)
class Item:
    name: str
    price: float = 1.5
    tags: list[str] = field(default_factory=list, compare=False)


item = Item("apple", tags=["fruit"])
print(item, asdict(item), replace(item, price=2.0))
print(sorted([Item("b"), Item("a")]), Colour.RED, Colour("blue").name, Right.READ | Right.WRITE in [Right.READ])
try:
    item.name = "x"
except Exception as error:
    print(type(error).__name__)
