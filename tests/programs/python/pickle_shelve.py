# keeps objects with pickle, shelve, dbm, copy and a checkpoint
import copyreg
import dbm
import io
import marshal
import pickle
import pickletools
import plistlib
import shelve
from collections import Counter, OrderedDict, namedtuple
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction

Point = namedtuple("Point", "x y")


class Level(Enum):
    LOW = 1
    HIGH = 2


@dataclass
class Hero:
    name: str
    level: Level = Level.LOW
    items: list = field(default_factory=list)
    friend: "Hero | None" = None


class Session:
    def __init__(self, user):
        self.user, self.connection = user, lambda: None

    def __getstate__(self):
        state = self.__dict__.copy()
        del state["connection"]
        return state

    def __setstate__(self, state):
        self.__dict__.update(state)
        self.connection = "reconnected"


class Money:
    def __init__(self, amount):
        self.amount = amount


copyreg.pickle(Money, lambda money: (Money, (money.amount + 1,)))
hero = Hero("Ada", Level.HIGH, ["sword", Point(1, 2)])
hero.friend = Hero("Bo", friend=hero)
again = pickle.loads(pickle.dumps(hero))
print(again.name, again.level is Level.HIGH, again.items, again.friend.friend is again)
values = [Decimal("1.10"), Fraction(1, 3), date(2025, 2, 3), timedelta(1), Counter("aab"), OrderedDict(a=1), {1, 2}, frozenset("x"), b"\0", 2**70, 1 + 2j, range(3), None, ..., len, Point, slice(1, 2)]
for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
    data = pickle.dumps(values, protocol)
    print(protocol, len(data), pickle.loads(data) == values)
session = pickle.loads(pickle.dumps(Session("ann")))
print(session.user, session.connection, pickle.loads(pickle.dumps(Money(5))).amount)
for bad in (lambda: pickle.dumps(lambda: 0), lambda: pickle.loads(b"nonsense"), lambda: pickle.loads(b""), lambda: pickle.dumps(open("x", "w")), lambda: pickle.loads(pickle.dumps([1])[:-2])):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, str(error).split(" at 0x")[0])
pickletools.dis(pickle.dumps({"a": (1, "x")}, 2))


class Safe(pickle.Unpickler):
    def find_class(self, module, name):
        if module != "collections":
            raise pickle.UnpicklingError(f"{module}.{name} is forbidden")
        return super().find_class(module, name)


print(Safe(io.BytesIO(pickle.dumps(Counter("xx")))).load())
try:
    Safe(io.BytesIO(pickle.dumps(Fraction(1, 2)))).load()
except pickle.UnpicklingError as error:
    print(error)
with shelve.open("store", writeback=True) as store:
    store["list"] = [1]
    store["list"].append(2)
    store["hero"] = hero
    print(sorted(store), len(store))
with shelve.open("store") as store:
    print(store["list"], store["hero"].friend.name, "nope" in store, store.get("nope", "default"))
with dbm.open("base", "c") as base:
    base["key"] = "value"
    base[b"k2"] = b"v2"
with dbm.open("base") as base:
    print(base["key"], sorted(base.keys()), base.get("x"))
print(marshal.loads(marshal.dumps([1, "a", (2.5, None)])), plistlib.loads(plistlib.dumps({"a": [1, True, "x"], "d": b"x"})))
print(plistlib.dumps({"n": 1, "t": "é<"}, sort_keys=True).decode())
