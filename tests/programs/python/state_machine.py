# a vending machine as a state machine with enum and match
from enum import Enum, Flag, IntEnum, StrEnum, auto


class State(Enum):
    IDLE = auto()
    PAYING = auto()
    DISPENSING = auto()
    BROKEN = "out of order"

    def __str__(self):
        return self.name.lower()


class Coin(IntEnum):
    NICKEL = 5
    DIME = 10
    QUARTER = 25


class Features(Flag):
    NONE = 0
    LIGHT = auto()
    COOLING = auto()
    ALARM = auto()
    ALL = LIGHT | COOLING | ALARM


class Drink(StrEnum):
    COLA = auto()
    WATER = "still water"


class Machine:
    prices = {Drink.COLA: 75, Drink.WATER: 50}

    def __init__(self):
        self.state, self.credit, self.log = State.IDLE, 0, []

    def handle(self, event):
        before = self.state
        match self.state, event:
            case (State.IDLE | State.PAYING), Coin() as coin:
                self.credit += coin
                self.state = State.PAYING
            case State.PAYING, Drink() as drink if self.credit >= self.prices[drink]:
                self.credit -= self.prices[drink]
                self.state = State.DISPENSING
            case State.PAYING, "cancel":
                self.credit, self.state = 0, State.IDLE
            case State.DISPENSING, "taken":
                self.state = State.PAYING if self.credit else State.IDLE
            case _, {"kick": int(force), **rest}:
                self.state = State.BROKEN if force > 5 else self.state
                print("kicked", force, rest)
            case state, other:
                raise ValueError(f"cannot {other!r} while {state}")
        self.log.append((before, self.state))


machine = Machine()
for event in [Coin.QUARTER, Coin.QUARTER, Drink.COLA, Coin.QUARTER, Coin.DIME, Drink.COLA, "taken", "cancel", {"kick": 9, "by": "bob"}, Coin.DIME]:
    try:
        machine.handle(event)
    except ValueError as error:
        print("error:", error)
    print(f"{event!s:<24} {machine.state!s:<12} {machine.credit}")
print(machine.log[:2], [state.value for state in State])
print(repr(Coin.DIME), Coin.DIME + 1, f"{Coin.QUARTER}", Coin(25).name, list(Coin))
print(Features.LIGHT | Features.ALARM, Features.ALL & ~Features.COOLING, bool(Features.NONE), Features(5), Features.ALL)
print(Drink.WATER, Drink.WATER.upper(), repr(Drink.COLA), Drink("cola") is Drink.COLA)
try:
    State("nothing")
except ValueError as error:
    print(error)
