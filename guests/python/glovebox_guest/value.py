"""Result value: how is the value of the last expression described outside Python?

As `repr` shows it, and as JSON where that says the same: exact `dict` with text keys, `list`, `str`, `int` that a double holds, finite
`float`, `bool` and `None` inside. A tuple, a set or a subclass would come back as something else, so it has no JSON form.
"""

from glovebox_guest.own import __builtins__

import json

from wit_world.exports import interpreter as wire

MAX_TEXT = 256 * 1024
"""Characters of a `repr`, a message or a report, and of a JSON form; protects the host that keeps results."""
MAX_DEPTH = 64
"""Levels of nested lists and dicts in a JSON form; below what strict readers accept."""
MAX_ITEMS = 100_000
"""Values in a JSON form; protects the time after the program has ended."""
MAX_EXACT = 1 << 53

encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


def describe(value):
    """The contract's `value`. Never raises, whatever the object does."""
    return wire.Value(_json(value), _repr(value))


def plain(text, limit=MAX_TEXT):
    """An exact `str` that has a UTF-8 form, shortened to `limit` characters."""
    if str.__len__(text) > limit:
        text = str.__getitem__(text, slice(0, limit)) + "..."
    if str.isascii(text):
        return str.__str__(text)
    return str.encode(text, "utf-8", "backslashreplace").decode("utf-8")


def _repr(value):
    try:
        return plain(repr(value))
    except BaseException as error:
        return plain(f"<{type(value).__name__} object whose repr() raised {type(error).__name__}>")


def _json(value):
    try:
        if not _is_faithful(value):
            return None
        text = encode(value)
        return text if len(text) <= MAX_TEXT else None
    except BaseException:
        return None


def _is_faithful(value):
    kind = type(value)
    if kind is not dict and kind is not list:
        return _is_faithful_leaf(value, kind)
    budget = MAX_ITEMS
    # Level by level, so that neither depth nor a cycle can exhaust the stack.
    level = [value]
    for _ in range(MAX_DEPTH):
        below = []
        budget -= len(level)
        if budget < 0:
            return False
        for item in level:
            kind = type(item)
            if kind is dict:
                for key in item:
                    if type(key) is not str or not _has_utf8(key):
                        return False
                below.extend(item.values())
            elif kind is list:
                below.extend(item)
            elif not _is_faithful_leaf(item, kind):
                return False
            if len(below) > budget:
                return False
        if not below:
            return True
        level = below
    return False


def _is_faithful_leaf(item, kind):
    if kind is str:
        return _has_utf8(item)
    if kind is int:
        return -MAX_EXACT <= item <= MAX_EXACT
    if kind is float:
        return item - item == 0.0
    return item is None or kind is bool


def _has_utf8(text):
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
