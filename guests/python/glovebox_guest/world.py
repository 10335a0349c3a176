"""Program environment: what does a program find when it starts?

A module `__main__`, arguments, the environment of the grant over the one that every program has, a working directory, fresh randomness and standard streams. The first
evaluation in an instance makes all of it; later ones of a session change only what came with them.
"""

from glovebox_guest.own import __builtins__

import builtins
import linecache
import logging
import os
import random
import sys
import time
import types

from glovebox_guest import calls, clocks, leaving, own_file, streams, threads

WORKSPACE = "/work"
LIBRARY = "/usr/lib/python3.14"

standard = streams.Standard()
main = types.ModuleType("__main__")
main.__builtins__ = builtins

seed_random = random.seed
chdir = os.chdir
now = time.time_ns
environ = os.environ
modules = sys.modules
source_lines = linecache.cache
ENVIRONMENT = {"HOME": WORKSPACE, "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"}
"""What every program has, as in a container, unless the grant says otherwise."""
ENCODED = {name.encode(): content.encode() for name, content in ENVIRONMENT.items()}
shown_environment = {}
script_folder = WORKSPACE
MOST_NAMES = 1000
names = []
"""Names of sources whose lines are kept although a later one has the same."""
helpers = []
"""Modules that only the guest needs. They are held here, because what would be freed with them is still in use."""
application = ""
"""The module that the builder wraps, which looks it up until the image is made; a program may have one of the same name."""


def prepare(source):
    """Does what precedes the first line of a source; returns the name that its code gets."""
    calls.evaluation[0] += 1
    threads.state.is_last = source.is_last
    if source.seed is not None:
        _wake(source.seed)
    standard.begin()
    _set_environment(source.environment)
    _set_program(source.name, source.arguments)
    if not source.name.startswith("<"):
        own_file.put(source.name if source.name.startswith("/") else f"{WORKSPACE}/{source.name}", source.text)
    return _keep_lines(source.name, source.text)


class SourceName(str):
    """The name of a source of a session, where an earlier one with another text has the same.

    Tracebacks show it as it is, but it is a key of its own in the cache of lines, so that a function
    shows its own lines in later evaluations too.
    """

    __slots__ = ()

    def __hash__(self):
        return id(self) >> 4

    def __eq__(self, other):
        return str.__eq__(self, other)

    def __reduce__(self):
        return str, (str.__str__(self),)


def _keep_lines(name, text):
    """Keeps the lines of a source for tracebacks, and returns the name that its code gets."""
    lines = [line + "\n" for line in text.split("\n")]
    if lines[-1] == "\n":
        # What `inspect` shows of the module is its text.
        lines.pop()
    earlier = source_lines.get(name)
    if earlier is not None and earlier[2] != lines:
        name = SourceName(name)
        names.append(name)
        if len(names) > MOST_NAMES:
            source_lines.pop(names.pop(0), None)
    source_lines[name] = (len(text), None, lines, name)
    return name


def end():
    """Lets threads end, and takes back what stands only while a source runs.

    The result is the code of an `os._exit`, or `None`.
    """
    code = leaving.taken()
    if code is None:
        try:
            threads.end()
        except BaseException:
            # `os._exit`, or memory is short.
            pass
        code = leaving.taken()
    threads.forget()
    own_file.take_back()
    return code


def reset():
    """As before the first evaluation."""
    global shown_environment, script_folder
    shown_environment = ENVIRONMENT
    script_folder = WORKSPACE
    names.clear()
    environ.clear()
    vars(main).pop("__file__", None)


def _wake(seed):
    """Makes a fresh instance differ from the image that all instances share."""
    streams.take_handles()
    clocks.begin()
    helpers.append(modules.pop(application, None))
    seed_random(seed)
    # As `shown_environment` says. The C library needs none of these; the builder has removed its own.
    environ._data.update(ENCODED)
    # Times in its records count from here, not from the making of the image.
    logging._startTime = now()
    try:
        chdir(WORKSPACE)
    except OSError:
        # A run without a workspace: the root, where nothing can be written.
        pass


def _set_environment(pairs):
    """Applies the environment where it is not the one that was applied last: in a session the program's own changes stay."""
    global shown_environment
    wanted = ENVIRONMENT | dict(pairs)
    if wanted == shown_environment:
        return
    shown_environment = wanted
    # The variables of the grant are there in the first evaluation. `environ.get` raises inside.
    present = environ._data
    for name in list(environ):
        if name not in wanted:
            del environ[name]
    for name, value in wanted.items():
        try:
            key, content = name.encode(), value.encode()
            if present.get(key) == content:
                continue
            if ENVIRONMENT.get(name) == value:
                # The C library needs none of these, and is slow to take them.
                present[key] = content
            else:
                environ[name] = value
        except (OSError, ValueError):
            # A name that no environment can hold, such as an empty one.
            continue


def _set_program(name, arguments):
    sys.argv = [name, *arguments]
    sys.orig_argv = ["python3", name, *arguments]
    modules["__main__"] = main
    if not name.startswith("<"):
        main.__file__ = name
    _set_script_folder(name)


def _set_script_folder(name):
    """`sys.path[0]` is the folder of the program, as everywhere; a later program's folder takes the place of the one before."""
    global script_folder
    folder, slash, _ = name.rpartition("/")
    place = WORKSPACE if not slash else folder if name.startswith("/") else f"{WORKSPACE}/{folder}"
    path = sys.path
    if place == script_folder or type(path) is not list:
        return
    if path and path[0] == script_folder:
        path[0] = place
    else:
        path.insert(0, place)
    script_folder = place
