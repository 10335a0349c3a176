# a calendar of events with repetition, conflicts and an iCalendar file
from __future__ import annotations

import re
from bisect import insort
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import Enum


class Repeat(Enum):
    NONE = None
    DAILY = timedelta(days=1)
    WEEKLY = timedelta(weeks=1)
    MONTHLY = "month"


@dataclass(order=True)
class Event:
    start: datetime
    title: str = field(compare=False)
    length: timedelta = field(compare=False, default=timedelta(hours=1))
    repeat: Repeat = field(compare=False, default=Repeat.NONE)

    @property
    def end(self):
        return self.start + self.length

    def overlaps(self, other):
        return self.start < other.end and other.start < self.end

    def between(self, first: date, last: date):
        when, count = self.start, 0
        while when.date() <= last:
            if when.date() >= first:
                yield Event(when, self.title, self.length)
            match self.repeat:
                case Repeat.NONE:
                    return
                case Repeat.MONTHLY:
                    count += 1
                    month = self.start.month - 1 + count
                    try:
                        when = self.start.replace(year=self.start.year + month // 12, month=month % 12 + 1)
                    except ValueError:
                        continue
                case _:
                    when += self.repeat.value

    def __str__(self):
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.title}"


def parse(text):
    match = re.fullmatch(r"(?P<day>\d{4}-\d\d-\d\d) (?P<at>\d\d:\d\d) (?P<title>.+?)(?: for (?P<n>\d+)(?P<unit>[hm]))?(?: (?P<repeat>daily|weekly|monthly))?", text)
    if not match:
        raise ValueError(f"cannot read {text!r}")
    start = datetime.combine(date.fromisoformat(match["day"]), time.fromisoformat(match["at"]))
    unit = {"h": "hours", "m": "minutes", None: "hours"}[match["unit"]]
    return Event(start, match["title"], timedelta(**{unit: int(match["n"] or 1)}), Repeat[(match["repeat"] or "none").upper()])


events: list[Event] = []
for text in ["2025-01-06 09:00 Stand-up for 15m weekly", "2025-01-31 14:00 Pay rent monthly", "2025-01-20 08:30 Dentist for 2h", "2025-02-03 09:10 Call Zoë", "2025-02-01 07:00 Run for 30m daily", "whenever Nap", "2025-02-30 10:00 Never", "2025-01-01 25:00 Late"]:
    try:
        insort(events, parse(text))
    except (ValueError, KeyError) as error:
        print(type(error).__name__, error)
agenda = defaultdict(list)
for event in events:
    for each in event.between(date(2025, 1, 20), date(2025, 2, 4)):
        insort(agenda[each.start.date()], each)
for day in sorted(agenda):
    print(f"{day:%a %d %b}", *agenda[day], sep="\n    ")
    for a, b in zip(agenda[day], agenda[day][1:]):
        if a.overlaps(b):
            print(f"    !! {a.title} conflicts with {b.title}")
print([f"{e.start:%m-%d}" for e in events[-1].between(date(2025, 1, 1), date(2025, 12, 31))][:8], [f"{e.start:%m-%d}" for e in next(e for e in events if "rent" in e.title).between(date(2025, 1, 1), date(2025, 12, 31))])
with open("calendar.ics", "w", newline="") as file:
    file.write("BEGIN:VCALENDAR\r\n")
    for event in events:
        file.write(f"BEGIN:VEVENT\r\nDTSTART:{event.start:%Y%m%dT%H%M%S}\r\nSUMMARY:{event.title}\r\nEND:VEVENT\r\n")
    file.write("END:VCALENDAR\r\n")
with open("calendar.ics") as file:
    fields = [line.strip().partition(":")[::2] for line in file]
print(fields[1:5], len(fields))
print(events[0], repr(events[0]), sum((e.length for e in events), timedelta()), max(events).title)
