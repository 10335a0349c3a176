# analyses an access log: status codes, slowest paths, a histogram
import random
import re
from collections import Counter, defaultdict
from datetime import datetime, timedelta, timezone
from statistics import mean, median, quantiles, stdev

random.seed(1234)
LINE = re.compile(
    r'(?P<ip>\d+\.\d+\.\d+\.\d+) - - \[(?P<time>[^\]]+)\] "(?P<method>[A-Z]+) (?P<path>\S+) HTTP/1\.1" '
    r"(?P<status>\d{3}) (?P<size>\d+|-) (?P<seconds>[\d.]+)"
)


def fake_log(count):
    start = datetime(2025, 6, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
    paths = ["/", "/login", "/api/items", "/api/items/42", "/static/app.js"]
    for number in range(count):
        when = start + timedelta(seconds=number * 7.5)
        status = random.choices([200, 301, 404, 500], weights=[85, 5, 8, 2])[0]
        size = "-" if status == 301 else random.randint(200, 90_000)
        yield (
            f'10.0.{random.randrange(3)}.{random.randrange(1, 6)} - - [{when:%d/%b/%Y:%H:%M:%S %z}] '
            f'"GET {random.choice(paths)} HTTP/1.1" {status} {size} {random.expovariate(4):.3f}'
        )


statuses, per_path, hours, clients = Counter(), defaultdict(list), Counter(), set()
for text in fake_log(500):
    match = LINE.fullmatch(text)
    assert match, text
    statuses[int(match["status"])] += 1
    per_path[match["path"]].append(float(match["seconds"]))
    when = datetime.strptime(match["time"], "%d/%b/%Y:%H:%M:%S %z")
    hours[when.astimezone(timezone.utc).strftime("%H:%M")[:4] + "0"] += 1
    clients.add(match["ip"])

print("clients", len(clients), "first line", next(fake_log(1)))
for status, count in statuses.most_common():
    print(f"{status}: {count:4d} {count / statuses.total():7.2%}")
for path, times in sorted(per_path.items(), key=lambda item: mean(item[1]), reverse=True):
    p95 = quantiles(times, n=20)[-1]
    print(f"{path:<16} n={len(times):<4} mean={mean(times):.4f} median={median(times):.4f} p95={p95:.4f} sd={stdev(times):.4f}")
for slot in sorted(hours):
    print(slot, "#" * (hours[slot] // 4))
