# dates, times and zones
import calendar
import datetime
import time

day = datetime.date(2024, 2, 29)
print(day + datetime.timedelta(days=365), day.strftime("%A %d %B %Y"), day.isocalendar())
moment = datetime.datetime(2024, 1, 1, 12, 30, tzinfo=datetime.timezone.utc)
print(moment.isoformat(), moment.timestamp(), datetime.datetime.fromisoformat("2024-05-06T07:08:09+02:00").utcoffset())
print(time.strftime("%Y", time.gmtime(0)), calendar.monthrange(2023, 2), time.time() > 1_600_000_000)
start = time.perf_counter()
time.sleep(0.02)
print(0.015 < time.perf_counter() - start < 5)
