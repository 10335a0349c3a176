# simulations with a seed: pi, dice, a random walk, a queue at a bank
import math
import random
from collections import Counter
from dataclasses import dataclass
from heapq import heappop, heappush

rng = random.Random(2024)


def estimate_pi(samples):
    inside = sum(rng.random() ** 2 + rng.random() ** 2 <= 1 for _ in range(samples))
    return 4 * inside / samples


for samples in (100, 10_000, 50_000):
    estimate = estimate_pi(samples)
    print(f"{samples:>7,}: {estimate:.6f} (off by {abs(estimate - math.pi):.6f})")

rolls = Counter(rng.randint(1, 6) + rng.randint(1, 6) for _ in range(20_000))
for total in range(2, 13):
    print(f"{total:2} {rolls[total] / 20_000:6.3f} {'▇' * round(rolls[total] / 100)}")

x = y = 0
for step in range(1, 10_001):
    angle = rng.choice([0, 1, 2, 3]) * math.pi / 2
    x += round(math.cos(angle))
    y += round(math.sin(angle))
    if step in (10, 100, 1000, 10_000):
        print(f"after {step} steps at ({x}, {y}), distance {math.hypot(x, y):.3f}")


@dataclass(order=True)
class Event:
    time: float
    kind: str
    customer: int


def bank(tellers, customers):
    events, waiting, free, waits, clock = [], [], tellers, [], 0.0
    for customer in range(customers):
        clock += rng.expovariate(1 / 4)
        heappush(events, Event(clock, "arrive", customer))
    while events:
        event = heappop(events)
        if event.kind == "arrive":
            waiting.append(event)
        else:
            free += 1
        while free and waiting:
            served = waiting.pop(0)
            waits.append(event.time - served.time)
            free -= 1
            heappush(events, Event(event.time + max(0.5, rng.normalvariate(7, 2)), "leave", served.customer))
    return max(waits), sum(waits) / len(waits), event.time


for tellers in (1, 2, 3):
    longest, mean, end = bank(tellers, 50)
    print(f"{tellers} tellers: longest {longest:.2f} mean {mean:.2f} end {end:.1f}")
state = rng.getstate()
first = [rng.random() for _ in range(2)]
rng.setstate(state)
print(first, first == [rng.random() for _ in range(2)], rng.vonmisesvariate(0, 4), rng.lognormvariate(0, 1), rng.paretovariate(3))
