# dates: ages, working days, months, ISO weeks, calendars
import calendar
from datetime import date, datetime, time, timedelta, timezone


def age(born, on):
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


def working_days(start, end, holidays=()):
    days = (start + timedelta(n) for n in range((end - start).days + 1))
    return [day for day in days if day.weekday() < 5 and day not in holidays]


def add_months(day, months):
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    return day.replace(year=year, month=month, day=min(day.day, calendar.monthrange(year, month)[1]))


def easter(year):
    a, b, c = year % 19, year // 100, year % 100
    d = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    e = (32 + 2 * (b % 4) + 2 * (c // 4) - d - c % 4) % 7
    f = d + e - 7 * ((a + 11 * d + 22 * e) // 451) + 114
    return date(year, f // 31, f % 31 + 1)


today = date(2025, 3, 31)
print(age(date(1990, 4, 1), today), age(date(1990, 3, 31), today))
print(len(working_days(date(2025, 4, 1), date(2025, 4, 30), {easter(2025) + timedelta(1)})))
for months in (1, -1, 11, 25):
    print(add_months(today, months), end=" ")
print()
for year in (2024, 2025, 2026):
    day = easter(year)
    print(year, day.strftime("%A %d %B %Y"), day.isocalendar(), f"{day:%j %U %y}", calendar.isleap(year))
print(calendar.month(2025, 2))
print(calendar.TextCalendar(calendar.SUNDAY).formatmonth(2026, 8, w=3))
stamp = datetime(2025, 12, 31, 23, 59, 59, 123456, tzinfo=timezone.utc)
print(stamp, stamp.isoformat(timespec="milliseconds"), stamp.timestamp(), repr(stamp + timedelta(microseconds=876544)))
print(datetime.fromisoformat("2025-06-01T12:30:00+05:30").astimezone(timezone.utc), datetime.fromtimestamp(0, timezone.utc).ctime())
delta = datetime(2025, 1, 1) - datetime(2024, 2, 28, 13, 5)
print(delta, repr(delta), delta.total_seconds(), divmod(delta, timedelta(days=7)), delta / 2, -delta)
print(datetime.strptime("Tue 4 Feb 2025 03:04 PM", "%a %d %b %Y %I:%M %p"), time(9, 5).isoformat("minutes"), time.max)
print(date.fromisocalendar(2025, 1, 1), date.max - date.min, datetime.combine(today, time(12)).strftime("%c | %x | %X | %p"))
for bad in (lambda: date(2025, 2, 30), lambda: datetime.strptime("x", "%Y"), lambda: date.fromisoformat("2025-1-1"), lambda: datetime(2025, 1, 1) < stamp):
    try:
        bad()
    except (ValueError, TypeError) as error:
        print(type(error).__name__, error)
