# parses fixed-width weather data and computes monthly statistics and anomalies
import math
import re
from collections import defaultdict
from datetime import datetime, timedelta

rows = []
start = datetime(2024, 1, 1)
for day in range(0, 366, 9):
    when = start + timedelta(days=day)
    temperature = 10 - 12 * math.cos(2 * math.pi * day / 366) + (day * 7919 % 13 - 6) / 3
    rain = max(0, (day * 104729 % 29) - 15) / 2
    rows.append(f"{when:%Y%m%d}  OSL{temperature:8.2f}{rain:7.1f}{'  M' if day % 81 == 0 else ''}")
TEXT = "\n".join(rows)
LINE = re.compile(r"(?P<date>\d{8})\s+(?P<station>[A-Z]{3})\s*(?P<t>-?\d+\.\d+)\s*(?P<rain>\d+\.\d)(?:\s+(?P<flag>[A-Z]))?$", re.M)


class Running:
    """Welford's algorithm."""

    def __init__(self):
        self.n, self.mean, self.m2 = 0, 0.0, 0.0

    def add(self, x):
        self.n += 1
        delta = x - self.mean
        self.mean += delta / self.n
        self.m2 += delta * (x - self.mean)

    @property
    def deviation(self):
        return math.sqrt(self.m2 / (self.n - 1)) if self.n > 1 else math.nan


months, rain, flagged = defaultdict(Running), defaultdict(float), []
for match in LINE.finditer(TEXT):
    when = datetime.strptime(match["date"], "%Y%m%d")
    if match["flag"]:
        flagged.append(when.date().isoformat())
        continue
    months[when.month].add(float(match["t"]))
    rain[when.month] += float(match["rain"])
print(rows[0], rows[-1], len(rows), flagged, sep="\n")
print("Month      n    mean     sd   rain")
for month, running in months.items():
    name = datetime(2024, month, 1).strftime("%B")
    print(f"{name:<10}{running.n:2d}{running.mean:8.2f}{running.deviation:7.2f}{rain[month]:7.1f} {'~' * int(rain[month])}")


def smooth(values, window):
    half = window // 2
    for index in range(len(values)):
        part = values[max(0, index - half) : index + half + 1]
        yield sum(part) / len(part)


temperatures = [float(match["t"]) for match in LINE.finditer(TEXT)]
print([round(v, 1) for v in smooth(temperatures, 5)][:12])
n = len(temperatures)
xs = range(n)
mx, my = sum(xs) / n, sum(temperatures) / n
slope = sum((x - mx) * (y - my) for x, y in zip(xs, temperatures)) / sum((x - mx) ** 2 for x in xs)
print(f"trend {slope:+.5f} per step, intercept {my - slope * mx:.4f}, r2 {slope**2 * sum((x - mx) ** 2 for x in xs) / sum((y - my) ** 2 for y in temperatures):.4f}")
fahrenheit = [t * 9 / 5 + 32 for t in temperatures[:3]]
print(fahrenheit, math.isclose(fahrenheit[0], temperatures[0] * 1.8 + 32), math.nan == math.nan, f"{math.inf} {-math.nan}")
print(f"{math.e:.10f} {math.log(10):.12f} {math.log2(1e6):.10f} {math.gamma(4.5):.10f} {math.erf(0.5):.12f} {math.tan(1.2):.12f} {math.sinh(2):.10f} {math.cbrt(27)} {math.nextafter(1, 2)} {math.ulp(1.0)} {math.fmod(-7, 3)} {math.remainder(7, 4)} {math.frexp(10)} {math.modf(-2.75)} {math.copysign(1, -0.0)} {math.degrees(1):.8f}")
