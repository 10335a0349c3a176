# every way of random with a seed, with all digits
import random
import string

random.seed(42)
print(random.random(), random.uniform(-5, 5), random.randint(1, 100), random.randrange(0, 100, 7))
print([random.randint(1, 6) for _ in range(20)])
print(random.choice(["rock", "paper", "scissors"]), random.choices("abc", weights=[5, 3, 1], k=10), random.sample(range(1000), 5))
deck = [f"{rank}{suit}" for suit in "♠♥♦♣" for rank in "23456789TJQKA"]
random.shuffle(deck)
print(deck[:13])
print([random.gauss(0, 1) for _ in range(8)])
print([random.normalvariate(100, 15) for _ in range(5)])
print([random.expovariate(0.5) for _ in range(5)])
print([random.lognormvariate(0, 0.25) for _ in range(3)], [random.vonmisesvariate(0, 4) for _ in range(3)])
print([random.betavariate(2, 5) for _ in range(3)], [random.gammavariate(9, 0.5) for _ in range(3)])
print([random.paretovariate(3) for _ in range(2)], [random.weibullvariate(1, 1.5) for _ in range(2)], random.triangular(0, 10, 3))
print("".join(random.choices(string.ascii_letters + string.digits, k=16)), random.getrandbits(64), random.randbytes(8).hex())
random.seed("a string seed")
print(random.random(), random.randint(0, 10**12))
random.seed(3.14)
print(random.random())
random.seed(b"bytes")
print(random.random())
first, second = random.Random(1), random.Random(1)
print([first.random() for _ in range(3)] == [second.random() for _ in range(3)], first.random())
state = random.getstate()
a = [random.random() for _ in range(3)]
random.setstate(state)
print(a == [random.random() for _ in range(3)], state[0], len(state[1]))


def box_muller(rng):
    import math

    u, v = rng.random(), rng.random()
    return math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * v)


values = [box_muller(first) for _ in range(1000)]
mean = sum(values) / len(values)
print(mean, (sum((v - mean) ** 2 for v in values) / len(values)) ** 0.5, min(values), max(values))
walk, position = [], 0.0
for _ in range(50):
    position += first.gauss(0, 1)
    walk.append(round(position, 3))
print(walk)
weighted = {"common": 70, "rare": 25, "epic": 5}
drops = [first.choices(list(weighted), weighted.values())[0] for _ in range(1000)]
print({name: drops.count(name) for name in weighted})
try:
    random.choice([])
except IndexError as error:
    print(error)
try:
    random.sample([1, 2], 3)
except ValueError as error:
    print(error)
