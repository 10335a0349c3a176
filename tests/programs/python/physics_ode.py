# integrates motion: a projectile, a pendulum, planets, predators and prey
import cmath
import math
from array import array
from dataclasses import dataclass
from typing import Callable


def rk4(f: Callable, state: tuple, t: float, dt: float) -> tuple:
    add = lambda a, b, k: tuple(x + k * y for x, y in zip(a, b))
    k1 = f(t, state)
    k2 = f(t + dt / 2, add(state, k1, dt / 2))
    k3 = f(t + dt / 2, add(state, k2, dt / 2))
    k4 = f(t + dt, add(state, k3, dt))
    return tuple(s + dt / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in zip(state, k1, k2, k3, k4))


def simulate(f, state, dt, steps):
    t = 0.0
    for _ in range(steps):
        yield t, state
        state = rk4(f, state, t, dt)
        t += dt


def projectile(speed, degrees, drag=0.0):
    angle = math.radians(degrees)

    def f(t, s):
        x, y, vx, vy = s
        v = math.hypot(vx, vy)
        return vx, vy, -drag * v * vx, -9.81 - drag * v * vy

    highest = 0
    for t, (x, y, vx, vy) in simulate(f, (0, 0, speed * math.cos(angle), speed * math.sin(angle)), 0.01, 2000):
        highest = max(highest, y)
        if y < 0:
            return x, highest, t
    return None


for angle in (30, 45, 60):
    print(angle, "vacuum {:.4f} {:.4f} {:.2f}".format(*projectile(50, angle)), "air {:.4f} {:.4f} {:.2f}".format(*projectile(50, angle, 0.005)))
pendulum = lambda t, s: (s[1], -9.81 * math.sin(s[0]))
crossings = []
last = None
for t, (angle, _) in simulate(pendulum, (0.5, 0.0), 0.005, 2000):
    if last is not None and last > 0 >= angle:
        crossings.append(t)
    last = angle
print("period", round(crossings[1] - crossings[0], 3), "small-angle", round(2 * math.pi / math.sqrt(9.81), 6))
lotka = lambda t, s: (1.1 * s[0] - 0.4 * s[0] * s[1], 0.1 * s[0] * s[1] - 0.4 * s[1])
for index, (t, (prey, predators)) in enumerate(simulate(lotka, (10, 5), 0.05, 801)):
    if index % 100 == 0:
        print(f"{t:6.2f} prey {prey:9.5f} {'o' * round(prey)} predators {predators:9.5f} {'x' * round(predators)}")


@dataclass
class Body:
    name: str
    mass: float
    place: complex
    speed: complex


bodies = [Body("sun", 1000, 0j, 0j), Body("planet", 1, 10 + 0j, 10j), Body("moon", 0.001, 10.3 + 0j, 11.8j)]
for step in range(3000):
    for body in bodies:
        force = sum(other.mass * (other.place - body.place) / abs(other.place - body.place) ** 3 for other in bodies if other is not body)
        body.speed += 0.0005 * force
    for body in bodies:
        body.place += 0.0005 * body.speed
for body in bodies:
    r, phi = cmath.polar(body.place)
    print(f"{body.name:<7} r={r:.6f} phi={phi:+.6f} v={abs(body.speed):.6f}")
print(cmath.sqrt(-2), cmath.exp(1j * math.pi), (1 + 2j) * (3 - 1j), abs(3 + 4j), complex("1+2j").conjugate(), f"{1+2j:.2f}")


def fft(values):
    n = len(values)
    if n == 1:
        return values
    even, odd = fft(values[::2]), fft(values[1::2])
    twisted = [cmath.exp(-2j * math.pi * k / n) * odd[k] for k in range(n // 2)]
    return [e + t for e, t in zip(even, twisted)] + [e - t for e, t in zip(even, twisted)]


spectrum = fft([math.sin(2 * math.pi * 3 * n / 16) + 0.5 for n in range(16)])
print([round(abs(c), 6) for c in spectrum])


def bisect(f, a, b, tolerance=1e-12):
    while b - a > tolerance:
        middle = (a + b) / 2
        a, b = (middle, b) if f(a) * f(middle) > 0 else (a, middle)
    return (a + b) / 2


def simpson(f, a, b, n=100):
    h = (b - a) / n
    return h / 3 * (f(a) + f(b) + sum((4 if i % 2 else 2) * f(a + i * h) for i in range(1, n)))


print(f"{bisect(lambda x: x**3 - 2, 1, 2):.10f} {simpson(math.sin, 0, math.pi):.10f}", array("d", [1.5, 2]), array("h", range(3)).tobytes().hex())
