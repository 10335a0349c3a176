# meetings in several time zones, with changes to daylight saving
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

ZONES = ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]
meeting = datetime(2025, 3, 30, 0, 30, tzinfo=ZoneInfo("Europe/Berlin"))
for zone in ZONES:
    local = meeting.astimezone(ZoneInfo(zone))
    print(f"{zone:<20} {local:%Y-%m-%d %H:%M %Z %z} dst={local.dst()}")
for hours in range(0, 4):
    utc = meeting.astimezone(timezone.utc) + timedelta(hours=hours)
    print(utc.astimezone(ZoneInfo("Europe/Berlin")).isoformat(), (meeting + timedelta(hours=hours)).isoformat())
for fold in (0, 1):
    ambiguous = datetime(2025, 11, 2, 1, 30, fold=fold, tzinfo=ZoneInfo("America/New_York"))
    print(fold, ambiguous.utcoffset(), ambiguous.tzname(), ambiguous.astimezone(timezone.utc).time())
print(ZoneInfo("Europe/Berlin"), repr(ZoneInfo("Asia/Kolkata")), ZoneInfo("UTC") is ZoneInfo("UTC"))
try:
    ZoneInfo("Mars/Olympus")
except ZoneInfoNotFoundError as error:
    print(type(error).__name__, error)
print(len(available_timezones()) > 400, "Europe/Paris" in available_timezones())


def overlap(zones, day, opens=9, closes=17):
    start = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    for slot in range(48):
        moment = start + timedelta(minutes=30 * slot)
        if all(opens <= moment.astimezone(ZoneInfo(zone)).hour < closes for zone in zones):
            yield moment


found = list(overlap(["Europe/London", "Europe/Athens", "America/New_York"], datetime(2025, 7, 1)))
print([f"{moment:%H:%M}" for moment in found])
flight = datetime(2025, 7, 1, 22, 15, tzinfo=ZoneInfo("Asia/Tokyo")) - datetime(2025, 7, 1, 11, 0, tzinfo=ZoneInfo("America/Los_Angeles"))
print("flight", flight, flight.total_seconds() / 3600)
print(datetime(1900, 1, 1, tzinfo=ZoneInfo("Europe/Paris")).utcoffset(), datetime(2100, 7, 1, tzinfo=ZoneInfo("Europe/Paris")).utcoffset())
