# the version, the folders, the devices, the locale and the time zone
# stdin = "a line\n"
import locale
import os
import sys
import tempfile
import time

print(sys.version_info[:2], __name__, __file__, sys.argv, sys.path[0])
print(os.path.expanduser("~"), os.getcwd(), tempfile.gettempdir(), os.environ.get("HOME"))
print(locale.getencoding(), locale.getlocale(), sys.getfilesystemencoding(), sys.stdout.encoding, sys.flags.utf8_mode)
print(time.tzname, time.timezone, time.strftime("%Z", time.localtime(0)))
print(open("/dev/null").read() == "", open("/dev/stdin").read())
with open("helper.py", "w") as file:
    file.write("answer = 42")
import helper

print(helper.answer, helper.__file__, sorted(os.listdir(".")))
