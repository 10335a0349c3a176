# works on Python code: ast, dis, inspect, symbol names, safe evaluation
import ast
import inspect
import keyword
import operator
import tokenize
from io import BytesIO

CODE = '''
import os, sys as system
from math import pi

class Circle:
    """A circle."""
    def __init__(self, r: float = 1.0) -> None:
        self.r = r

    @property
    def area(self): return pi * self.r ** 2

async def main(*args, key=None, **rest):
    total = sum(x for x in range(10) if x % 2)
    return f"{total!r:>5}", lambda y: y + 1
'''
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow, ast.USub: operator.neg}


def evaluate(text):
    def walk(node):
        match node:
            case ast.Expression(body):
                return walk(body)
            case ast.Constant(value) if isinstance(value, (int, float)):
                return value
            case ast.BinOp(left, op, right):
                return OPERATORS[type(op)](walk(left), walk(right))
            case ast.UnaryOp(op, operand):
                return OPERATORS[type(op)](walk(operand))
        raise ValueError(f"not allowed: {ast.unparse(node)}")

    return walk(ast.parse(text, mode="eval"))


class Report(ast.NodeVisitor):
    def __init__(self):
        self.depth = 0

    def generic_visit(self, node):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            print("  " * self.depth + f"{type(node).__name__} {node.name} line {node.lineno}-{node.end_lineno} doc={ast.get_docstring(node)!r}")
        self.depth += 1
        super().generic_visit(node)
        self.depth -= 1


class Constants(ast.NodeTransformer):
    def visit_Constant(self, node):
        return ast.copy_location(ast.Constant(node.value * 2), node) if isinstance(node.value, int) else node


tree = ast.parse(CODE)
Report().visit(tree)
print([alias.name + (f" as {alias.asname}" if alias.asname else "") for node in ast.walk(tree) if isinstance(node, (ast.Import, ast.ImportFrom)) for alias in node.names])
print(sorted({node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}))
print(ast.unparse(ast.fix_missing_locations(Constants().visit(tree))))
print(ast.dump(ast.parse("x = a.b[1:2]"), indent=2))
for text in ("1 + 2 * -3", "2 ** 0.5", "__import__('os')", "1 / 0", "1 +"):
    try:
        print(text, "=", evaluate(text))
    except Exception as error:
        print(text, "!", type(error).__name__, error)
tokens = tokenize.tokenize(BytesIO(b"x = 'a' + 1  # hi\n").readline)
print([(tokenize.tok_name[token.type], token.string) for token in tokens])


def sample(a, b: int = 2, /, c=3, *args, d, **kwargs) -> str:
    """Samples."""
    return ""


signature = inspect.signature(sample)
print(signature, [f"{p.name}:{p.kind.name}" for p in signature.parameters.values()], inspect.getdoc(sample))
print(signature.bind(1, d=5).arguments, sample.__annotations__, sample.__code__.co_varnames)
try:
    signature.bind(1)
except TypeError as error:
    print(error)
namespace = {}
exec(compile("def f(x):\n    return x * 3", "<made>", "exec"), namespace)
print(namespace["f"]("ab"), eval("[n for n in range(3)]"), keyword.iskeyword("match"), keyword.softkwlist, "class".isidentifier())
print(inspect.getsource(sample).splitlines()[0] if "__file__" in globals() else "-")
