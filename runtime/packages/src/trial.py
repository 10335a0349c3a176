"""Which module of the standard library do packages need that this interpreter lacks?

Runs in the sandbox, where the packages can be imported; what to import is on standard input. The answer is the last line of the output.
"""

import importlib
import importlib.metadata
import json
import sys

# Modules that are there and have less than on a POSIX system. What others lack, no tier has.
PARTIAL = frozenset(("multiprocessing", "os", "select", "signal", "socket", "ssl", "subprocess", "threading", "time"))
MOST = 100


def modules_of(package):
    """The modules at the top of a distribution."""
    for file in importlib.metadata.files(package) or ():
        name = file.parts[0].partition(".")[0]
        if file.suffix == ".py" and name.isidentifier() and (len(file.parts) == 1 or len(file.parts) == 2 and file.name == "__init__.py"):
            yield name


def missing(error):
    """The module of the standard library for which an import has failed, and the part of it."""
    name, part = getattr(error, "name", None), None
    if isinstance(error, ModuleNotFoundError):
        return (name, None) if (name or "").partition(".")[0] in sys.stdlib_module_names else None
    if isinstance(error, ImportError):
        part = error.name_from
    elif isinstance(error, AttributeError) and isinstance(error.obj, type(sys)):
        name, part = error.obj.__name__, name
    return (name, part) if part and name in PARTIAL else None


asked = json.load(sys.stdin)
names = asked["modules"]
try:
    names += [name for package in asked["packages"] for name in modules_of(package)]
except importlib.metadata.PackageNotFoundError:
    pass
answer = None
for name in names[:MOST]:
    try:
        module, _, part = name.partition(":")
        if not hasattr(importlib.import_module(module), part.strip("*") or "__name__"):
            importlib.import_module(f"{module}.{part}")
    except BaseException as error:
        # The cause comes first: packages put a message of their own on top.
        chain = [error]
        while (before := chain[-1].__cause__ or chain[-1].__context__) and len(chain) < MOST:
            chain.append(before)
        found = next(filter(None, map(missing, reversed(chain))), None)
        if found:
            answer = {"module": found[0].lstrip("_"), "part": found[1], "importer": module}
            break
print("\n" + json.dumps(answer))
