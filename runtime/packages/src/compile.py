"""Which bytecode would Python write for each module of these packages?

Each directory below the source is a package, and its modules are named as from there. Runs in the sandbox, on the interpreter that will
import it. The files carry an unchecked hash: the tree never changes, so an import need not compare them with the sources.
"""

import importlib.util
import marshal
import os
import sys

SOURCE, TARGET = "/from", "/to"
TESTS = "tests"
"""Folders whose modules are compiled when they are imported."""
LONGEST = 8 << 20
"""Bytes of the largest text that is compiled; a larger one is compiled when it is imported."""



def unreadable(error):
    """A tree that cannot be looked through is not to be taken for one without modules."""
    raise error


if hasattr(os, "umask"):
    # Whoever fetched has to be able to clear away.
    os.umask(0)
for folder, folders, names in os.walk(SOURCE, onerror=unreadable):
    folders.sort()
    if folder == SOURCE:
        continue
    # Hardly a program imports them, and in some packages they are a third of the code.
    folders[:] = [name for name in folders if name != TESTS]
    target = TARGET + folder[len(SOURCE) :] + "/__pycache__"
    for name in sorted(names):
        path = f"{folder}/{name}"
        if not name.endswith(".py") or os.path.getsize(path) > LONGEST:
            continue
        try:
            with open(path, "rb") as file:
                text = file.read()
            code = compile(text, path[len(SOURCE) + 1 :].partition("/")[2], "exec", dont_inherit=True, optimize=0)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            # Templates are no modules, and what cannot be compiled says so when it is imported.
            continue
        os.makedirs(target, exist_ok=True)
        header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(text)
        with open(f"{target}/{name[:-3]}.{sys.implementation.cache_tag}.pyc", "wb") as file:
            file.write(header + marshal.dumps(code))
