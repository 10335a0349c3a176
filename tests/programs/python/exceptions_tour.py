# exceptions: chains, groups, notes, finally, context managers, tracebacks
import contextlib
import sys
import traceback
import warnings


class ConfigError(Exception):
    """A setting is wrong."""

    def __init__(self, key, value):
        super().__init__(key, value)
        self.key, self.value = key, value

    def __str__(self):
        return f"{self.key}={self.value!r}"


def parse(settings):
    try:
        return int(settings["port"])
    except KeyError:
        raise ConfigError("port", None) from None
    except ValueError as error:
        error.add_note("settings came from a test")
        raise ConfigError("port", settings["port"]) from error


for settings in ({"port": "80"}, {}, {"port": "http"}):
    try:
        print(parse(settings))
    except ConfigError as error:
        print(repr(error), str(error), repr(error.__cause__), error.__suppress_context__, getattr(error.__cause__, "__notes__", None))


def order():
    try:
        yield "try"
        raise RuntimeError("inside")
    except RuntimeError as error:
        yield f"except {error}"
    else:
        yield "else"
    finally:
        yield "finally"


print(list(order()))


def returns():
    for number in range(3):
        try:
            if number == 1:
                return number
        finally:
            print("cleanup", number)


print(returns())
try:
    raise ExceptionGroup("many", [ValueError(1), TypeError("t"), ExceptionGroup("inner", [OSError(2, "No such thing", "f.txt")])])
except* ValueError as group:
    print("values", group.exceptions)
except* OSError as group:
    print("os", group, group.exceptions[0].exceptions)
except* TypeError as group:
    print("types", group.exceptions)
with contextlib.suppress(ZeroDivisionError):
    1 / 0
with contextlib.ExitStack() as stack:
    for name in "abc":
        stack.callback(print, "closing", name)
    print("in the stack")
with contextlib.redirect_stdout(open("captured.txt", "w")):
    print("hidden")
print(open("captured.txt").read().strip(), contextlib.nullcontext(5).enter_result)
try:
    try:
        {}["missing"]
    except KeyError:
        [][1]
except IndexError as error:
    lines = traceback.format_exception(error)
    print(len(lines), lines[-1].strip(), any("During handling" in line for line in lines))
    frame = traceback.extract_tb(error.__traceback__)[0]
    print(frame.lineno, frame.line, frame.name, type(error.__context__).__name__)
print(traceback.format_exception_only(SyntaxError("bad", ("f.py", 3, 5, "x = = 1\n", 3, 6))))
try:
    compile("x = = 1", "<text>", "exec")
except SyntaxError as error:
    print(error.msg, error.lineno, error.offset, error.text)
try:
    compile("if True:\nprint(1)", "<text>", "exec")
except IndentationError as error:
    print(error)
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    warnings.warn("old", DeprecationWarning)
    warnings.warn("careful")
    print([(item.category.__name__, str(item.message)) for item in caught])
try:
    assert 1 + 1 == 3, "arithmetic"
except AssertionError as error:
    print("assertion:", error, sys.exc_info()[0] is AssertionError)
try:
    sys.exit("bye")
except SystemExit as error:
    print("exit", error.code)
def recurse(n):
    return recurse(n + 1)
try:
    recurse(0)
except RecursionError as error:
    print(error)
print(sys.exception(), ConfigError.__doc__, issubclass(FileNotFoundError, OSError), BaseException.__subclasses__()[0].__name__)
