# a program reads its own text
import ast
import inspect
import linecache
import os
import runpy
import sys
from pathlib import Path


def function():
    """Documented."""
    return 1


class Thing:
    size = 2


if __name__ == "__main__":
    with open(__file__) as file:
        text = file.read()
    path = Path(__file__)
    print(text.splitlines()[0], path.read_text() == text, path.exists(), path.stat().st_size == len(text.encode()))
    print(os.path.abspath(__file__), os.path.dirname(os.path.abspath(__file__)), os.path.isfile(sys.argv[0]))
    print(len([node for node in ast.parse(path.read_bytes()).body if isinstance(node, ast.FunctionDef)]))
    print(inspect.getsource(function), inspect.getsource(Thing), sep="", end="")
    print(inspect.getsource(sys.modules["__main__"]) == text, inspect.getsourcefile(function), linecache.getline(__file__, 1), end="")
    print(runpy.run_path(__file__)["function"]())
