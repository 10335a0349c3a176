"""Python driver: how does a program in a container run and end as it would in the guest?

By the guest's own code: it compiles the text, runs it in a fresh `__main__`, and reports its value
or exception. What the guest has of its host is replaced here by what an ordinary interpreter has.

    driver.py GUEST COMPLETION MOST MOST_RESULTS PROGRAM NAME ARGUMENT...
    driver.py GUEST COMPLETION MOST MOST_RESULTS

Without a program it serves a session: the number of an evaluation comes on descriptor 6, its program,
arguments and input lie in `/program`, and its number and exit code go to descriptor 7.
"""

import builtins
import json
import linecache
import os
import signal
import sys
import types
from importlib.machinery import ModuleSpec, SourceFileLoader

guest, completion, most, most_results, *started_with = sys.argv[1:]
WORKSPACE = "/work"
PROGRAM = "/program"
REQUESTS, REPLIES = 6, 7


class Record:
    """A record of the guest's contract: what it was made of, by name."""

    fields = ()

    def __init__(self, *values):
        self.__dict__.update(zip(self.fields, values))


def record(*fields):
    """A kind of record."""
    return type("Record", (Record,), {"fields": fields})


class Standard:
    """The standard streams."""

    def begin(self):
        """They are there from the start."""

    def flush(self):
        """Writes out what is buffered."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                continue

    def complain(self, text):
        """Writes to standard error, whatever the program made of it."""
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            pass


class SessionLoop:
    """The loop of top-level `await`."""

    loop = None

    def run(self, coroutine):
        """Runs a coroutine to its end and returns its value."""
        import asyncio

        if self.loop is None or self.loop.is_closed():
            self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        task = self.loop.create_task(coroutine)
        try:
            return self.loop.run_until_complete(task)
        except KeyboardInterrupt as interrupt:
            if task.done() or self.loop.is_closed():
                raise
            # It came while the program waited, which must not go on in the next evaluation.
            task.cancel()
            try:
                self.loop.run_until_complete(task)
            except asyncio.CancelledError as cancelled:
                interrupt.__traceback__ = cancelled.__traceback__
            raise interrupt from None


def set_running_loop(loop):
    """Takes back what a program that drives a loop by hand may leave."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None:
        asyncio.events._set_running_loop(loop)


main = types.ModuleType("__main__")
main.__builtins__ = builtins


OWN_FILE_NAMES = ("__file__", "argv[0]", "multiprocessing", "concurrent", "joblib")
"""What asks for the program's own file. Other processes import the program from there."""
script_folder = None


def share_functions(text):
    """Lets other processes have the functions of a session, which are in no file: they are forked."""
    if "multiprocessing" in text or "concurrent" in text:
        import multiprocessing

        if multiprocessing.get_start_method(allow_none=True) is None:
            multiprocessing.set_start_method("fork")


def prepare(source):
    """What a program finds when it starts."""
    global script_folder
    sys.argv = [source.name, *source.arguments]
    sys.orig_argv = ["python3", *sys.argv]
    path = source.name if source.name.startswith("/") else f"{WORKSPACE}/{source.name}"
    place = path.rpartition("/")[0] or "/"
    if place != script_folder and type(sys.path) is list:
        if script_folder is not None and sys.path and sys.path[0] == script_folder:
            del sys.path[0]
        sys.path.insert(0, place)
        script_folder = place
    sys.modules["__main__"] = main
    if not source.name.startswith("<"):
        main.__file__ = source.name
        own_file.put(path, source.text, OWN_FILE_NAMES)
    if not started_with:
        share_functions(source.text)
    lines = [line + "\n" for line in source.text.split("\n")]
    if lines[-1] == "\n":
        # What `inspect` shows of the module is its text.
        lines.pop()
    linecache.cache[source.name] = (len(source.text), None, lines, source.name)


MOST_SHOWN = 1000
MARGIN = 1 << 20
"""Bytes for what is around results in the report."""
encode = json.JSONEncoder().encode
open_file, write_file, close_file, process = os.open, os.write, os.close, os.getpid
own_process = process()


class Shown:
    """What the report has so far: results, their bytes, and all bytes; whether a result is missing."""

    count = size = written = 0
    is_truncated = False


def tell(line):
    """Appends a line of JSON to the report, at once: a program may end without a word."""
    line = line.encode() + b"\n"
    try:
        file = open_file(completion, os.O_WRONLY | os.O_APPEND)
        try:
            # In one piece, as other processes of the program write as well.
            write_file(file, line)
        finally:
            close_file(file)
    except OSError:
        # The exit code is reported all the same.
        return
    Shown.written += len(line)


def show(text, size):
    """Reports a result, which is JSON; returns why it does not, or `None`."""
    bound, reason = int(most_results), None
    if Shown.count >= MOST_SHOWN:
        reason = f"a run shows at most {MOST_SHOWN} results"
    elif Shown.size + size > bound or Shown.written + len(text) > 2 * bound + MARGIN:
        reason = f"the results that a run shows have at most {bound} bytes (`limits.results`), and {size} more do not fit"
    if reason is None:
        Shown.count += 1
        Shown.size += size
        tell(f'{{"result":{text}}}')
    elif not Shown.is_truncated:
        Shown.is_truncated = True
        tell('{"truncated":true}')
    return reason


def module(name, **content):
    """A module of the guest, from its text where it has one."""
    made = sys.modules[f"glovebox_guest.{name}"] = types.ModuleType(name)
    vars(made).update(content)
    if not content:
        with open(f"{guest}/{name}.py", encoding="utf-8") as file:
            exec(compile(file.read(), "<glovebox>", "exec"), vars(made))
    setattr(package, name, made)
    return made


wire = types.ModuleType("interpreter")
wire.Value = record("json", "text")
wire.Raised = record("kind", "message", "traceback")
wire.Completion_Finished = record("value")
wire.Completion_Raised = record("raised")
wire.Completion_Exited = record("code")
package = sys.modules["glovebox_guest"] = types.ModuleType("glovebox_guest")
sys.modules["wit_world"] = types.ModuleType("wit_world")
sys.modules["wit_world.exports"] = types.ModuleType("exports")
sys.modules["wit_world.exports"].interpreter = wire
has_monitoring = hasattr(sys, "monitoring")
if not has_monitoring:
    sys.monitoring = types.SimpleNamespace(get_tool=lambda tool: None, free_tool_id=lambda tool: None)
module("own")
own_file = module("own_file")
module("daemons", TOOL=None)
module("interrupts", enable=lambda: None, disable=lambda: None)
module("loop", SessionLoop=SessionLoop, set_running_loop=set_running_loop)
module("open_files", flush=lambda: None)
module("world", main=main, standard=Standard(), prepare=prepare, end=own_file.take_back, source_lines=linecache.cache)
module("value")
module("report")
module("outlet", send=show)
results = module("results")
results.install()
evaluate = module("evaluation").evaluate
for known in [known for known in sys.modules if known.partition(".")[0] in ("glovebox_guest", "wit_world")]:
    del sys.modules[known]
if not has_monitoring:
    del sys.monitoring



class ToolsFinder:
    """Finds the module `glovebox`, after everything that a program brings itself."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """The specification of the module, or `None` for any other."""
        if name != "glovebox":
            return None
        origin = f"{guest}/glovebox.py"
        return ModuleSpec(name, SourceFileLoader(name, origin), origin=origin)


sys.meta_path.append(ToolsFinder)


def run(program, name, arguments):
    """Evaluates a program, writes its value or exception, and returns its exit code."""
    with open(program, "rb") as file:
        text = file.read()
    try:
        text = text.decode("utf-8")
    except UnicodeDecodeError as error:
        sys.stderr.write(f"the source `{name}` is not UTF-8 text: {error.reason}\n")
        return 1
    Shown.count = Shown.size = Shown.written = 0
    Shown.is_truncated = False
    # What `atexit` has runs when this interpreter ends.
    ended = evaluate(types.SimpleNamespace(name=name, text=text, arguments=arguments, is_last=False))
    code, told = 0, None
    if isinstance(ended, wire.Completion_Exited):
        code = ended.code
    elif isinstance(ended, wire.Completion_Raised):
        code, told = 1, {"exception": vars(ended.raised)}
    elif ended.value is not None:
        told = {"value": vars(ended.value)}
    # A child of the program may come to the program's end as well.
    if told is not None and process() == own_process:
        try:
            encoded = encode(told)
            if Shown.written + len(encoded) < int(most):
                tell(encoded)
        except (ValueError, TypeError, RecursionError, MemoryError):
            # The exit code is reported all the same.
            pass
    return code


def serve():
    """Evaluates programs until there are no more."""
    # Programs replace the functions of modules.
    read, write, leave = os.read, os.write, os._exit
    handle, ignore, interrupt = signal.signal, signal.SIG_IGN, signal.default_int_handler
    handle(signal.SIGINT, ignore)
    for descriptor in (REQUESTS, REPLIES):
        os.set_inheritable(descriptor, False)
    write(REPLIES, b"0 0\n")
    pending = b""
    while True:
        number, line, rest = pending.partition(b"\n")
        if not line:
            more = read(REQUESTS, 64)
            if not more:
                return
            pending += more
            continue
        pending = rest
        try:
            with open(f"{PROGRAM}/.arguments", "rb") as file:
                program, name, *arguments = file.read().decode().split("\0")[:-1]
            source = os.open(f"{PROGRAM}/.input", os.O_RDONLY)
            os.dup2(source, 0)
            os.close(source)
            sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)
            handle(signal.SIGINT, interrupt)
            code = run(f"{PROGRAM}/{program}", name, arguments)
        except BaseException as error:
            # An interrupt that came too late for the program, or too early.
            code = 130 if isinstance(error, KeyboardInterrupt) else 1
        if process() != own_process:
            # A child of the program that has come to the program's end.
            leave(code & 255)
        while True:
            try:
                handle(signal.SIGINT, ignore)
                break
            except BaseException:
                continue
        write(REPLIES, b"%s %d\n" % (number, code & 255))


if started_with:
    program, name, *arguments = started_with
    sys.exit(run(program, name, arguments))
serve()
