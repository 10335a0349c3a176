"""Evaluation: how is a source run, and how does it end?

The text is compiled once, its last expression apart, so that its value comes back like a cell's. What ends the program, an exception
or `sys.exit`, becomes the contract's completion. Whatever a program did to this interpreter, an evaluation ends with one.
"""

from glovebox_guest.own import __builtins__

import __future__
import ast
import atexit
import logging
import sys
import warnings
import weakref

from glovebox_guest import daemons, interrupts, loop, open_files, report, results, value, world
from wit_world.exports import interpreter as wire

COROUTINE = 0x80
"""`inspect.CO_COROUTINE`: the text has a top-level `await`."""
FUTURES = 0
for _name in __future__.all_feature_names:
    FUTURES |= getattr(__future__, _name).compiler_flag
AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
NO_STATEMENT = frozenset(("", " ", "\t", "\n", "\f", "#", ")", "]", "}"))
"""First characters of lines that are blank, comments, or parts of what began above."""

STATEMENTS = frozenset((
    "pass", "if", "for", "while", "def", "class", "with", "try", "import", "from", "return", "raise", "del", "assert", "global",
))
"""First words of statements, as far as they are common; none of them begins an expression."""

Expr, Expression = ast.Expr, ast.Expression
run_exit_functions, exit_function_count = atexit._run_exitfuncs, atexit._ncallbacks
OF_THE_IMAGE = exit_function_count()
log_handlers, finalizers = logging._handlerList, weakref.finalize._registry
HANDLERS_OF_THE_IMAGE = len(log_handlers)
session_loop = loop.SessionLoop()
set_running_loop = loop.set_running_loop
tool_of, free_tool = sys.monitoring.get_tool, sys.monitoring.free_tool_id
WATCHERS = range(6)
NO_TOOL = frozenset((None, daemons.TOOL))
recursion_limit, set_recursion_limit = sys.getrecursionlimit, sys.setrecursionlimit
LEAST_RECURSION = 500
namespace = world.main.__dict__
standard = world.standard


def evaluate(source):
    """Runs one source in the session's `__main__` and returns the contract's completion.

    In a session the host may interrupt it, up to the last call here.
    """
    try:
        if not source.is_last:
            interrupts.enable()
        completion = _evaluate_to_its_end(source)
    except BaseException:
        # An interrupt of the guest's own code.
        interrupts.disable()
        _take_back()
        completion = wire.Completion_Raised(wire.Raised("KeyboardInterrupt", "", "KeyboardInterrupt\n"))
    interrupts.disable()
    return completion


def _evaluate_to_its_end(source):
    try:
        completion = _evaluate(source)
    except BaseException as error:
        # Memory ran out while the completion was made, or the program watches every call and raises in it.
        _take_back()
        completion = wire.Completion_Raised(wire.Raised(type(error).__name__, "", f"{type(error).__name__}\n"))
    try:
        results.show_charts()
    except BaseException:
        # The program changed what the charts need.
        _take_back()
    try:
        code = _end(source.is_last)
    except BaseException:
        code = None
    if code is not None:
        _take_back()
        # The program left from the middle of its loop.
        session_loop.loop = None
        completion = wire.Completion_Exited(code)
    open_files.flush()
    standard.flush()
    return completion


def _end(is_last):
    """What a leaving interpreter does: waits for threads, then calls the callbacks of `atexit`.

    No callback runs in a session, which still uses what they would take away (temporary
    directories, log handlers). The result is the code of an `os._exit`, or `None`.
    """
    code = world.end()
    if code is None and is_last and _has_exit_functions():
        try:
            run_exit_functions()
        except BaseException:
            pass
        code = world.end()
    if code is None and is_last:
        code = finalize()
    return code


def finalize():
    """Replaced in the image's last step, before which `__main__` stays."""


def _has_exit_functions():
    """Whether a callback of `atexit` has something to do; those of the image alone have not."""
    return (
        exit_function_count() > OF_THE_IMAGE
        or len(log_handlers) > HANDLERS_OF_THE_IMAGE
        or bool(finalizers)
    )


def _evaluate(source):
    codes = []
    try:
        name = world.prepare(source) or source.name
        result = _run(source.text, name, codes)
        if result is not None:
            results.show_value(result)
        return wire.Completion_Finished(None if result is None else value.describe(result))
    except SystemExit as error:
        _take_back()
        return wire.Completion_Exited(_exit(error))
    except BaseException as error:
        _take_back()
        return wire.Completion_Raised(report.raised(error, codes, world))
    finally:
        _take_back()


def _take_back():
    """Undoes what would make the guest's own code fail, now or in the next evaluation. Never raises."""
    try:
        if sys.gettrace() is not None:
            sys.settrace(None)
        if sys.getprofile() is not None:
            sys.setprofile(None)
        for tool in WATCHERS:
            if tool_of(tool) not in NO_TOOL:
                free_tool(tool)
        if recursion_limit() < LEAST_RECURSION:
            set_recursion_limit(LEAST_RECURSION)
        # A program can end inside a loop that it drives by hand.
        set_running_loop(None)
    except BaseException:
        pass


def _run(text, name, codes):
    """Runs the text and returns the value of its last expression, or `None`. Fills `codes` with what it ran."""
    codes += _compiled_once(text, name)
    for code in codes:
        if code.co_flags & COROUTINE:
            return session_loop.run(_run_awaiting(codes))
    result = None
    for code in codes:
        result = eval(code, namespace)
    return result


async def _run_awaiting(codes):
    """As `_run`, inside the loop: what stands before the last `await` may already make tasks."""
    result = None
    for code in codes:
        result = eval(code, namespace)
        if code.co_flags & COROUTINE:
            result = await result
    return result


def _compiled_once(text, name):
    """As `_compiled`; a warning that more than one attempt gives is shown once."""
    show = warnings._showwarnmsg
    shown = []
    warnings._showwarnmsg = shown.append
    try:
        return _compiled(text, name)
    finally:
        warnings._showwarnmsg = show
        if shown:
            _show_once(shown, show)


def _show_once(shown, show):
    known = set()
    for warning in shown:
        key = (warning.category, str(warning.message), warning.filename, warning.lineno)
        if key not in known:
            known.add(key)
            show(warning)


def _compiled(text, name):
    """The code objects of a text, to be run one after another; the last one gives the value.

    A syntax tree in Python objects costs twice the compilation, so only the last statement is looked at, where the text can be cut
    before it. Where it cannot (the line was part of something longer, or is wrong), the whole text is, and gives the right error.
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.startswith("\ufeff"):
        text = text[1:]
    start = _last_statement(text)
    codes = _cut(text, start, name) if start else None
    return codes or _compiled_last(text, name, AWAIT)


def _cut(text, start, name):
    """As `_compiled`, cut at `start`; `None` where it cannot be cut there."""
    try:
        head = compile(text[:start], name, "exec", AWAIT, True)
        tail = "\n" * text.count("\n", 0, start) + text[start:]
        return [head, *_compiled_last(tail, name, AWAIT | head.co_flags & FUTURES)]
    except SyntaxError:
        return None


def _last_statement(text):
    """Where the last line begins that can begin a statement of the module; 0 where there is none."""
    start = len(text)
    while start > 0:
        start = text.rfind("\n", 0, start - 1) + 1
        if text[start : start + 1] not in NO_STATEMENT:
            return start
    return 0


def _expression(text, name, flags):
    """The code of a text that is one expression; `None` for any other."""
    if text.lstrip("\n")[:7].partition(" ")[0].rstrip("\n:") in STATEMENTS:
        # An error costs more than the compilation.
        return None
    try:
        return compile(text, name, "eval", flags, True)
    except SyntaxError:
        return None


def _compiled_last(text, name, flags):
    """As `_compiled`, without a cut."""
    code = _expression(text, name, flags)
    if code is not None:
        return [code]
    tree = compile(text, name, "exec", flags | ast.PyCF_ONLY_AST, True)
    body = tree.body
    if not body or type(body[-1]) is not Expr:
        return [compile(tree, name, "exec", flags, True)]
    last = Expression(body.pop().value)
    codes = []
    if body:
        codes.append(compile(tree, name, "exec", flags, True))
        flags |= codes[0].co_flags & FUTURES
    codes.append(compile(last, name, "eval", flags, True))
    return codes


def _exit(error):
    """The code of a `SystemExit`, by CPython's rules."""
    try:
        code = error.code
        if code is None:
            code = 0
        elif not isinstance(code, int):
            standard.complain(f"{value.plain(str(code))}\n")
            code = 1
        code = int(code)
        code = code & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF
    except BaseException:
        code = 1
    return code
