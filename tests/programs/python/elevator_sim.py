# a discrete event simulation with generators as processes
import heapq
import random
from collections import Counter, deque
from contextlib import contextmanager
from dataclasses import dataclass, field


class Simulation:
    def __init__(self):
        self.now, self._queue, self._count, self.log = 0.0, [], 0, []

    def schedule(self, delay, process):
        self._count += 1
        heapq.heappush(self._queue, (self.now + delay, self._count, process))

    def say(self, text):
        self.log.append(f"{self.now:7.2f} {text}")

    def run(self, until):
        while self._queue and self._queue[0][0] <= until:
            self.now, _, process = heapq.heappop(self._queue)
            try:
                command = next(process)
            except StopIteration:
                continue
            if isinstance(command, (int, float)):
                self.schedule(command, process)
            else:
                command.queue.append(process)
                command.serve()


@dataclass
class Resource:
    simulation: Simulation
    slots: int
    queue: deque = field(default_factory=deque)
    longest: int = 0

    def serve(self):
        self.longest = max(self.longest, len(self.queue))
        while self.slots and self.queue:
            self.slots -= 1
            self.simulation.schedule(0, self.queue.popleft())

    def release(self):
        self.slots += 1
        self.serve()


def passenger(simulation, lift, name, rng, stats):
    floors = rng.sample(range(10), 2)
    arrived = simulation.now
    simulation.say(f"{name} waits on {floors[0]}")
    yield lift
    waited = simulation.now - arrived
    stats["waits"].append(waited)
    simulation.say(f"{name} enters after {waited:.2f}")
    yield 1.5 * abs(floors[0] - floors[1]) + 2
    simulation.say(f"{name} leaves on {floors[1]}")
    stats["floors"][floors[1]] += 1
    lift.release()


def arrivals(simulation, lift, rng, stats, count):
    for number in range(count):
        yield rng.expovariate(1 / 3)
        simulation.schedule(0, passenger(simulation, lift, f"P{number}", rng, stats))


@contextmanager
def section(title):
    print(f"--- {title} ---")
    yield
    print(f"--- end of {title} ---")


for slots in (1, 3):
    simulation, rng = Simulation(), random.Random(17)
    stats = {"waits": [], "floors": Counter()}
    lift = Resource(simulation, slots)
    simulation.schedule(0, arrivals(simulation, lift, rng, stats, 12))
    with section(f"{slots} lifts"):
        simulation.run(60)
        print("\n".join(simulation.log[:14]))
        waits = stats["waits"]
        print(f"{len(waits)} served, mean wait {sum(waits) / len(waits):.3f}, longest queue {lift.longest}, {sorted(stats['floors'].items())}")
