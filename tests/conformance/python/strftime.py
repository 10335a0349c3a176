# time formats have the directives of glibc, and others stay as they are
import datetime
import logging
import time

moment = datetime.datetime(2024, 1, 5, 15, 4, 9, 123, tzinfo=datetime.timezone.utc)
for directives in [
    "%e %k %l %P %p %I", "%s %R %T %D %F %r", "%h %b %B %a %A", "%C %y %Y %g %G", "%V %U %W %u %w %j", "%-d %_d %-m %-H %-I %-j", "%^a %^B %#Z %#p %_H",
    "%05d %3e %10Y %_5m %-5d", "%Ey %EY %Od %Om", "%c|%x|%X", "%f %z %:z %Z", "%Q %N %+ %v %!", "%é %E", "100%", "%", "%%e", "a%nb%tc",
]:
    print(directives, repr(moment.strftime(directives)))
print(f"{moment:%-d. %B, %l:%M %P}", format(moment.date(), "%e/%-m"), moment.time().strftime("%k:%M %r"), f"{moment:100%}")
print([datetime.date(year, month, day).strftime("%G-W%V-%u %U %W") for year, month, day in [(2021, 1, 3), (2020, 12, 31), (2016, 1, 1), (2018, 12, 31)]])
print(time.strftime("%l %P", time.gmtime(0)), repr(time.strftime("%Z", time.localtime(0))), len(time.strftime("%s")) >= 10, repr(time.strftime("")))
print(logging.Formatter("%(asctime)s", "%e %k:%M").format(logging.makeLogRecord({"created": 3600})))
for wrong in [5, None]:
    try:
        time.strftime("%e", wrong) if wrong else time.strftime(wrong)
    except TypeError as error:
        print("TypeError")
