# prints tracebacks to standard output, as a notebook would
import sys
import traceback


class ValidationError(Exception):
    pass


def level_three(value):
    numbers = [1, 2, 3]
    return numbers[value] / (value - 1)


def level_two(value):
    try:
        return level_three(value)
    except ZeroDivisionError as error:
        raise ValidationError(f"bad value {value}") from error


def level_one(value):
    return level_two(value) + (lambda v: v * 2)(
        value,
    )


for value in (0, 1, 7):
    try:
        print("result", level_one(value))
    except Exception:
        traceback.print_exc(file=sys.stdout)
        print("-" * 20)
try:
    raise ExceptionGroup("several", [ValueError("a"), TypeError("b")])
except ExceptionGroup:
    print(traceback.format_exc())
try:
    data = {"user": {"name": None}}
    print(data["user"]["name"].upper())
except AttributeError:
    print(traceback.format_exc(limit=1))
try:
    eval("1 +")
except SyntaxError:
    traceback.print_exc(file=sys.stdout)
try:
    exec("def f():\n    return undefined\nf()")
except NameError:
    traceback.print_exc(file=sys.stdout)
try:
    def recursive(n):
        return recursive(n + 1)
    recursive(1)
except RecursionError as error:
    lines = traceback.format_exception(error)
    print(lines[-1].strip(), any("repeated" in line for line in lines))
error = None
try:
    open("no_such_file.txt")
except OSError:
    kind, error, trace = sys.exc_info()
    print(kind.__name__, error.filename, trace.tb_lineno, trace.tb_frame.f_code.co_name)
traceback.print_stack(file=sys.stdout)
summary = traceback.TracebackException.from_exception(error)
print("".join(summary.format_exception_only()).strip(), len(summary.stack))
print(level_one.__code__.co_filename == __file__, level_one.__code__.co_firstlineno)
