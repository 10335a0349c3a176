"""Which modules does a program import before it does anything else?

Runs in the sandbox; the program is on standard input. Imports that come first can only find what is there from the start, so what they
lack can be told before the run. Whatever comes after the first other statement may have been prepared by it.
"""

import ast
import importlib
import json
import sys


# The program itself, and the client of tools: in every tier, and in no list of the standard library.
ALWAYS = ("__main__", "glovebox")


def constant(value):
    """Whether working this out does nothing."""
    return isinstance(value, ast.Constant) or isinstance(value, (ast.Tuple, ast.List)) and all(map(constant, value.elts))


def is_there(name):
    """Whether the standard library has a module of that name, with all that it stands on itself."""
    try:
        return name in sys.stdlib_module_names and importlib.import_module(name) is not None
    except ImportError:
        return False


def imports(tree):
    """Every first import as its module, line, whether it is there, and whether the standard library has it elsewhere."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module] if node.level == 0 and node.module else []
        elif isinstance(node, ast.Expr) and constant(node.value) or isinstance(node, ast.Assign) and constant(node.value):
            continue
        else:
            return
        for name in names:
            name = name.partition(".")[0]
            yield [name, node.lineno, name in ALWAYS or is_there(name), name in sys.stdlib_module_names]


try:
    found = list(imports(ast.parse(sys.stdin.buffer.read())))
except (SyntaxError, ValueError, RecursionError, MemoryError):
    # The run itself says what is wrong.
    found = []
print(json.dumps(found))
