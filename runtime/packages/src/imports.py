"""Which modules does a program import?

Runs in the sandbox; the program is on standard input, its name the only argument, its own files lie in the workspace. Imports that come
first can only find what is there from the start, so what they lack can be told before the run. Whatever comes after the first other
statement may have been prepared by it, and may never run: what such an import lacks is a reason for another tier, and no more.
"""

import sys

# What is there is asked of the library: the workspace has the program's files, and nothing of them runs here.
WORKSPACE = "/work"
sys.path[:] = [place for place in sys.path if place and not place.startswith(WORKSPACE)]

import ast
import importlib
import json
import os

# The program itself, and the client of tools: in every tier, and in no list of the standard library.
ALWAYS = ("__main__", "glovebox", "IPython")
MOST_FILES = 100
# Those of another system, which no tier has.
ELSEWHERE = frozenset(("_winapi", "_scproxy", "msvcrt", "nt", "winreg", "winsound"))
CATCHES = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")


def constant(value):
    """Whether working this out does nothing."""
    return isinstance(value, ast.Constant) or isinstance(value, (ast.Tuple, ast.List)) and all(map(constant, value.elts))


def is_there(name):
    """Whether the standard library has a module of that name, with all that it stands on itself."""
    try:
        return name in sys.stdlib_module_names and importlib.import_module(name) is not None
    except ImportError:
        return False


def names_of(node):
    """The modules that a statement or a call imports, with the names that it takes out of them."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        return [f"{node.module}:{alias.name}" for alias in node.names] if node.level == 0 and node.module else []
    if isinstance(node, ast.Call) and len(node.args) == 1 and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
        function = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        if function in ("import_module", "__import__"):
            return [node.args[0].value.lstrip(".")]
    return []


def first_imports(tree):
    """The statements of the imports before any other code."""
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not (isinstance(node, (ast.Expr, ast.Assign)) and constant(node.value)):
            return


def named(node):
    """The last part of a name such as `builtins.ImportError`."""
    return getattr(node, "id", getattr(node, "attr", None))


def is_for_windows(test):
    """Whether a condition holds on Windows only, as far as programs write it."""
    if isinstance(test, ast.Call) and named(test.func) == "startswith":
        test = ast.Compare(test.func.value, [ast.Eq()], test.args)
    if not isinstance(test, ast.Compare) or not isinstance(test.ops[0], (ast.Eq, ast.In)):
        return False
    system = test.comparators[0]
    words = [part.value for part in getattr(system, "elts", [system]) if isinstance(part, ast.Constant)]
    return named(test.left) in ("platform", "name", "system") and any(str(word).lower() in ("win32", "win", "nt", "windows", "cygwin") for word in words)


def does_without(node):
    """Whether what a statement holds is imported for types or for another system only, or may be missing."""
    if isinstance(node, ast.If):
        return named(node.test) == "TYPE_CHECKING" or is_for_windows(node.test)
    if isinstance(node, ast.With):
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        return any(named(call.func) == "suppress" and any(named(kind) in CATCHES for kind in call.args) for call in calls)
    if isinstance(node, ast.Try):
        caught = [handler.type for handler in node.handlers]
        caught = [kind for one in caught for kind in (one.elts if isinstance(one, ast.Tuple) else [one])]
        return any(kind is None or named(kind) in CATCHES for kind in caught)
    return False


def all_imports(tree):
    """Every statement and call that imports, but those that the program can do without."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if does_without(node):
            waiting += node.handlers if isinstance(node, ast.Try) else getattr(node, "orelse", ())
            continue
        if names_of(node):
            yield node
        waiting += ast.iter_child_nodes(node)


def found(nodes, is_first):
    """Each import as its module, line, whether it is there, whether the standard library has it elsewhere, whether it is a first one, and
    what it names."""
    for node in nodes:
        for whole in names_of(node):
            name = whole.partition(":")[0].partition(".")[0]
            standard = name in sys.stdlib_module_names and (is_first or name not in ELSEWHERE)
            yield [name, node.lineno, name in ALWAYS or (is_first or standard) and is_there(name), standard, is_first, whole]


def own_files(folder, imports):
    """The text of the program's own modules that it imports, and those import."""
    waiting, known = [name for name, *_ in imports], set()
    while waiting and len(known) < MOST_FILES:
        name = waiting.pop()
        for path in (f"{folder}/{name}.py", f"{folder}/{name}/__init__.py"):
            if name in known or not os.path.isfile(path):
                continue
            known.add(name)
            try:
                with open(path, "rb") as file:
                    tree = ast.parse(file.read())
            except (SyntaxError, ValueError, OSError):
                # It fails where it is imported; the other files may be right.
                continue
            more = list(found(all_imports(tree), False))
            waiting += [name for name, *_ in more]
            yield from more


def survey(text, name):
    """All imports, the first ones first."""
    tree = ast.parse(text)
    first = list(found(first_imports(tree), True))
    further = list(found(all_imports(tree), False))
    yield from first
    yield from further
    yield from own_files(os.path.dirname(os.path.abspath(name)), first + further)


imports = []
try:
    for one in survey(sys.stdin.buffer.read(), sys.argv[1]):
        imports.append(one)
except (SyntaxError, ValueError, RecursionError, MemoryError, OSError):
    # The run itself says what is wrong.
    pass
print(json.dumps(imports))
