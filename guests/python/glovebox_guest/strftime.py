"""Time formats: which directives does `strftime` know?

Those of glibc, which programs are written for. The C library here has fewer and answers one that it
does not know with an empty text. A format that has only what both know goes to the C library; any
other is written out here.
"""

from glovebox_guest.own import __builtins__

import re
import time

KNOWN = re.compile(r"(?:[^%\0]|%[aAbBcdDFHIjmMnprRSTuUwWxXyYz%])*", re.DOTALL)
"""A format that the C library writes as glibc does."""
DIRECTIVE = re.compile(r"%([-_0^#+]*)([0-9]*)([EO]?)([A-Za-z%+])")
COMPOSED = {
    "c": "%a %b %e %H:%M:%S %Y", "D": "%m/%d/%y", "F": "%Y-%m-%d", "r": "%I:%M:%S %p", "R": "%H:%M", "T": "%H:%M:%S", "x": "%m/%d/%y",
    "X": "%H:%M:%S",
}
"""Directives that stand for others, in the locale `C`."""
NUMBERS = {
    "C": (2, "0"), "d": (2, "0"), "e": (2, " "), "g": (2, "0"), "G": (1, "0"), "H": (2, "0"), "I": (2, "0"), "j": (3, "0"), "k": (2, " "),
    "l": (2, " "), "m": (2, "0"), "M": (2, "0"), "s": (1, "0"), "S": (2, "0"), "u": (1, "0"), "U": (2, "0"), "V": (2, "0"), "w": (1, "0"),
    "W": (2, "0"), "y": (2, "0"), "Y": (1, "0"),
}
"""The usual width of each number, and what fills it."""
UNMODIFIED = {"E": "aAbBdDeFgGhHIjklmMSUVwW", "O": "aAcDFxXY"}
"""Letters that no `E` or `O` may stand before."""
LARGEST_WIDTH = 1 << 20

c_strftime = time.strftime
localtime, mktime, struct_time = time.localtime, time.mktime, time.struct_time
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)


def strftime(format, time_tuple=None, /):
    """strftime(format[, tuple]) -> string

    Convert a time tuple to a string according to a format specification.
    See the library reference manual for formatting codes. When the time tuple
    is not present, current time as returned by localtime() is used.
    """
    if type(format) is not str or KNOWN.fullmatch(format):
        return c_strftime(format) if time_tuple is None else c_strftime(format, time_tuple)
    if time_tuple is None:
        time_tuple = localtime()
    # The C library's own checks: an invalid time stays an error.
    c_strftime("%Y", time_tuple)
    return DIRECTIVE.sub(lambda found: _directive(found, time_tuple), format)


def _directive(found, moment):
    flags, width, modifier, letter = found.groups()
    if "+" in flags or letter in UNMODIFIED.get(modifier, ""):
        return found.group()
    width = min(int(width or -1), LARGEST_WIDTH)
    pad = flags.translate({94: None, 35: None})[-1:]
    if letter in NUMBERS:
        return _number(letter, moment, pad, width)
    text = _text(letter, moment, flags)
    if text is None:
        return found.group()
    if letter == "P":
        text = text.lower()
    elif letter in "pZ" and "#" in flags and "^" not in flags:
        text = text.lower()
    elif "^" in flags or ("#" in flags and letter in "aAbBh"):
        text = text.upper()
    return text.rjust(width, "0" if pad == "0" else " ")


def _number(letter, moment, pad, width):
    number = _value(letter, moment)
    usual, fill = NUMBERS[letter]
    if pad == "-":
        return str(number).rjust(width)
    fill = {"_": " ", "0": "0"}.get(pad, fill)
    width = max(width, usual) if width >= 0 else usual
    text = str(abs(number))
    sign = "-" if number < 0 else ""
    if fill == " ":
        return (sign + text).rjust(width)
    return sign + text.rjust(width - len(sign), "0")


def _value(letter, moment):
    year, month, day, hour, minute, second, week_day, year_day = moment[:8]
    week_day = (week_day + 1) % 7
    if letter in "gGV":
        iso_year, week = _iso(year, week_day, year_day)
        return {"g": iso_year % 100, "G": iso_year, "V": week}[letter]
    if letter == "s":
        return int(mktime(moment if type(moment) is struct_time else struct_time(moment)))
    return {
        "C": year // 100, "d": day, "e": day, "H": hour, "k": hour, "I": (hour + 11) % 12 + 1, "l": (hour + 11) % 12 + 1, "j": year_day,
        "m": month, "M": minute, "S": second, "u": week_day or 7, "U": (year_day - 1 + 7 - week_day) // 7, "w": week_day,
        "W": (year_day - 1 + 7 - (week_day - 1) % 7) // 7, "y": year % 100, "Y": year,
    }[letter]


def _iso(year, week_day, year_day):
    """The ISO year and week."""
    week = (year_day - ((week_day - 1) % 7 + 1) + 10) // 7
    if week < 1:
        return year - 1, _weeks(year - 1)
    if week > _weeks(year):
        return year + 1, 1
    return year, week


def _weeks(year):
    first = (year + year // 4 - year // 100 + year // 400) % 7
    before = year - 1
    last = (before + before // 4 - before // 100 + before // 400) % 7
    return 53 if first == 4 or last == 3 else 52


def _text(letter, moment, flags):
    """The text of a directive that is not a number; `None` where there is no such directive."""
    if letter in COMPOSED:
        inner = COMPOSED[letter]
        return DIRECTIVE.sub(lambda found: _directive(found, moment), inner)
    if letter in "aA":
        name = DAYS[moment[6] % 7]
        return name if letter == "A" else name[:3]
    if letter in "bBh":
        name = MONTHS[(moment[1] or 1) - 1]
        return name if letter == "B" else name[:3]
    if letter in "pP":
        return "AM" if moment[3] < 12 else "PM"
    if letter == "z":
        return c_strftime("%z", moment)
    if letter == "Z":
        return getattr(moment, "tm_zone", None) or (time.tzname[moment[8] > 0] if moment[8] >= 0 else "")
    return {"n": "\n", "t": "\t", "%": "%"}.get(letter)


def install():
    """Takes the place of `time.strftime`, which `datetime` and `logging` use too."""
    strftime.__module__ = "time"
    time.strftime = strftime
