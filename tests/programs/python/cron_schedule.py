# parses cron expressions and lists the next times
from datetime import datetime, timedelta
from itertools import islice

NAMES = {name: n for n, name in enumerate("sun mon tue wed thu fri sat".split())} | {
    name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)
}
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))


def number(text, low, high):
    value = NAMES[text.lower()] if text.lower() in NAMES else int(text)
    if not low <= value <= high:
        raise ValueError(f"{value} is not between {low} and {high}")
    return value


def parse_field(text, low, high):
    values = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        if span == "*":
            start, end = low, high
        elif "-" in span:
            start, end = (number(word, low, high) for word in span.split("-", 1))
        else:
            start = number(span, low, high)
            end = high if step else start
        values.update(range(start, end + 1, int(step or 1)))
    return values


class Cron:
    def __init__(self, text):
        parts = text.split()
        if len(parts) != 5:
            raise ValueError(f"five fields are needed, not {len(parts)}")
        for part, (name, low, high) in zip(parts, FIELDS):
            try:
                setattr(self, name, parse_field(part, low, high))
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None
        self.any_day, self.any_weekday = parts[2] == "*", parts[4] == "*"

    def matches(self, when):
        weekday = when.isoweekday() % 7 in self.weekday
        day = when.day in self.day
        chosen = (day and weekday) if self.any_day or self.any_weekday else (day or weekday)
        return when.month in self.month and chosen and when.hour in self.hour and when.minute in self.minute

    def after(self, when):
        when = when.replace(second=0, microsecond=0) + timedelta(minutes=1)
        end = when + timedelta(days=366 * 5)
        while when < end:
            if when.month not in self.month:
                when = (when.replace(day=1, hour=0, minute=0) + timedelta(days=32)).replace(day=1)
            elif not self.matches(when.replace(hour=min(self.hour), minute=min(self.minute))):
                when = when.replace(hour=0, minute=0) + timedelta(days=1)
            elif self.matches(when):
                yield when
                when += timedelta(minutes=1)
            else:
                when += timedelta(minutes=1)


now = datetime(2025, 2, 27, 22, 58, 31)
for text in ["*/15 * * * *", "0 9-17/4 * * mon-fri", "30 6 1,15 * *", "0 0 29 2 *", "5 4 * jan-mar sun", "0 12 13 * 5", "61 * * * *", "* * *", "x * * * *", "0 0 31 2 *"]:
    try:
        cron = Cron(text)
    except ValueError as error:
        print(f"{text:<22} invalid: {error}")
        continue
    times = [f"{when:%a %Y-%m-%d %H:%M}" for when in islice(cron.after(now), 3)]
    print(f"{text:<22} {times}")
print(sorted(Cron("0-10/3,50 * * * *").minute), (datetime(2025, 3, 1) - now), now.strftime("%I:%M:%S %p, week %V of %G, day %-j"), now.replace(microsecond=5).isoformat(" ", "auto"))
for seconds in (0, 59, 3661, 86400 * 3 + 7325, -90):
    print(timedelta(seconds=seconds), end="; ")
print(min(now, datetime.min), timedelta.max, timedelta(hours=1.5) // timedelta(minutes=20), abs(timedelta(-1)), timedelta(days=1) * 1.5)
