# a turn-based battle with classes, mixins, a seed and a log
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import reduce
from typing import ClassVar


class Element(Enum):
    FIRE = auto()
    WATER = auto()
    GRASS = auto()

    def beats(self, other):
        return (self, other) in {(Element.FIRE, Element.GRASS), (Element.WATER, Element.FIRE), (Element.GRASS, Element.WATER)}


@dataclass
class Stats:
    hp: int
    attack: int
    defense: int
    speed: int

    def __add__(self, other):
        return Stats(*(a + b for a, b in zip(vars(self).values(), vars(other).values())))


class Loggable:
    log: ClassVar[list] = []

    def say(self, text):
        Loggable.log.append(f"{self.name}: {text}")


@dataclass
class Fighter(Loggable, ABC):
    name: str
    base: Stats
    element: Element
    level: int = 1
    items: list[Stats] = field(default_factory=list)
    damage: int = field(default=0, init=False)

    @property
    def stats(self):
        return reduce(Stats.__add__, self.items, self.base)

    @property
    def hp(self):
        return max(0, self.stats.hp - self.damage)

    @property
    def alive(self):
        return self.hp > 0

    @abstractmethod
    def act(self, enemies, rng): ...

    def hit(self, target, power, rng):
        factor = 1.5 if self.element.beats(target.element) else 1.0
        amount = max(1, round((power * factor - target.stats.defense / 2) * rng.uniform(0.8, 1.2)))
        if rng.random() < 0.1:
            amount *= 2
            self.say("critical!")
        target.damage += amount
        self.say(f"hits {target.name} for {amount} ({target.hp}/{target.stats.hp})")


class Warrior(Fighter):
    def act(self, enemies, rng):
        self.hit(min(enemies, key=lambda e: e.hp), self.stats.attack, rng)


@dataclass
class Mage(Fighter):
    mana: int = 10

    def act(self, enemies, rng):
        if self.mana >= 4:
            self.mana -= 4
            for enemy in enemies:
                self.hit(enemy, self.stats.attack * 0.7, rng)
        else:
            self.mana += 3
            self.say(f"rests, mana {self.mana}")


def battle(teams, rng):
    for turn in range(1, 50):
        order = sorted((f for team in teams for f in team if f.alive), key=lambda f: (-f.stats.speed, f.name))
        for fighter in order:
            enemies = [f for team in teams if fighter not in team for f in team if f.alive]
            if not fighter.alive or not enemies:
                continue
            fighter.act(enemies, rng)
        if any(not any(f.alive for f in team) for team in teams):
            return turn


rng = random.Random(99)
heroes = [Warrior("Brom", Stats(60, 18, 10, 7), Element.GRASS, items=[Stats(0, 4, 2, 0)]), Mage("Lyra", Stats(40, 22, 5, 9), Element.WATER)]
monsters = [Warrior("Orc", Stats(70, 16, 8, 5), Element.FIRE), Mage("Imp", Stats(30, 20, 3, 10), Element.FIRE, mana=5), Warrior("Slime", Stats(45, 10, 2, 1), Element.WATER)]
turns = battle([heroes, monsters], rng)
print("\n".join(Loggable.log))
print(f"over after {turns} turns")
for fighter in heroes + monsters:
    bar = "█" * round(10 * fighter.hp / fighter.stats.hp)
    print(f"{fighter.name:<6} {type(fighter).__name__:<8} {fighter.element.name:<6} [{bar:<10}] {fighter.hp}")
print(heroes[0])
try:
    Fighter("x", Stats(1, 1, 1, 1), Element.FIRE)
except TypeError as error:
    print(error)
