# time zones by name
import datetime
import zoneinfo

berlin, new_york = zoneinfo.ZoneInfo("Europe/Berlin"), zoneinfo.ZoneInfo("America/New_York")
for month in (1, 7):
    noon = datetime.datetime(2024, month, 1, 12, tzinfo=berlin)
    print(noon.isoformat(), noon.tzname(), noon.astimezone(new_york), noon.astimezone(zoneinfo.ZoneInfo("UTC")).strftime("%-H:%M %Z"))
print(datetime.datetime(2024, 3, 31, 3, tzinfo=berlin).utcoffset() - datetime.datetime(2024, 3, 31, 1, tzinfo=berlin).utcoffset())
print(len(zoneinfo.available_timezones()) > 400, "Asia/Tokyo" in zoneinfo.available_timezones())
try:
    zoneinfo.ZoneInfo("Mars/Base")
except zoneinfo.ZoneInfoNotFoundError as error:
    print(error)
