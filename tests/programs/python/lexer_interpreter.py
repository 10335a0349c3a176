# a small programming language: lexer, Pratt parser, closures, interpreter
from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

TOKEN = re.compile(r'\s*(?:(?P<num>\d+\.?\d*)|(?P<str>"[^"]*")|(?P<name>[a-zA-Z_]\w*)|(?P<op>==|!=|<=|>=|&&|\|\||[-+*/%<>=!(){},;\[\].]))')
PRECEDENCE = {"=": 1, "||": 2, "&&": 3, "==": 4, "!=": 4, "<": 5, ">": 5, "<=": 5, ">=": 5, "+": 6, "-": 6, "*": 7, "/": 7, "%": 7, "(": 9, "[": 9}


class Return(Exception):
    def __init__(self, value):
        self.value = value


@dataclass
class Scope:
    names: dict[str, Any] = field(default_factory=dict)
    outer: Scope | None = None

    def find(self, name):
        scope = self
        while scope and name not in scope.names:
            scope = scope.outer
        if scope is None:
            raise NameError(f"unknown name {name}")
        return scope


@dataclass
class Function:
    parameters: list[str]
    body: tuple
    scope: Scope

    def __call__(self, *values):
        if len(values) != len(self.parameters):
            raise TypeError(f"{len(self.parameters)} arguments expected, got {len(values)}")
        try:
            run(self.body, Scope(dict(zip(self.parameters, values)), self.scope))
        except Return as result:
            return result.value


class Parser:
    def __init__(self, text):
        self.tokens, place = [], 0
        text = re.sub(r"#.*", "", text).rstrip()
        while place < len(text):
            match = TOKEN.match(text, place)
            if not match:
                raise SyntaxError(f"bad character {text[place]!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        self.tokens.append(("end", ""))
        self.place = 0

    def peek(self):
        return self.tokens[self.place][1]

    def next(self, wanted=None):
        kind, text = self.tokens[self.place]
        if wanted is not None and text != wanted:
            raise SyntaxError(f"expected {wanted!r}, found {text!r}")
        self.place += 1
        return kind, text

    def block(self, end):
        statements = []
        while self.peek() != end:
            statements.append(self.statement())
        self.next(end)
        return ("block", statements)

    def statement(self):
        word = self.peek()
        if word == "let":
            self.next()
            name = self.next()[1]
            self.next("=")
            value = self.expression()
            self.next(";")
            return ("let", name, value)
        if word in ("if", "while"):
            self.next()
            test = self.expression()
            self.next("{")
            body = self.block("}")
            other = None
            if word == "if" and self.peek() == "else":
                self.next()
                self.next("{")
                other = self.block("}")
            return (word, test, body, other)
        if word == "return":
            self.next()
            value = self.expression()
            self.next(";")
            return ("return", value)
        value = self.expression()
        self.next(";")
        return value

    def items(self, end):
        values = []
        while self.peek() != end:
            values.append(self.expression())
            if self.peek() == ",":
                self.next()
        self.next(end)
        return values

    def expression(self, level=0):
        kind, text = self.next()
        if kind == "num":
            left = ("value", float(text) if "." in text else int(text))
        elif kind == "str":
            left = ("value", text[1:-1])
        elif text == "fn":
            self.next("(")
            parameters = [name[1] for name in self.items(")")]
            self.next("{")
            left = ("fn", parameters, self.block("}"))
        elif kind == "name":
            left = ("name", text)
        elif text == "(":
            left = self.expression()
            self.next(")")
        elif text == "[":
            left = ("list", self.items("]"))
        elif text in ("-", "!"):
            left = ("unary", text, self.expression(8))
        else:
            raise SyntaxError(f"unexpected {text!r}")
        while PRECEDENCE.get(self.peek(), 0) > level:
            op = self.next()[1]
            if op == "(":
                left = ("call", left, self.items(")"))
            elif op == "[":
                left = ("index", left, self.expression())
                self.next("]")
            elif op == "=":
                left = ("assign", left[1], self.expression())
            else:
                left = ("binary", op, left, self.expression(PRECEDENCE[op]))
        return left


def run(node, scope):
    match node:
        case ("block", statements):
            for statement in statements:
                run(statement, scope)
        case ("let", name, value):
            scope.names[name] = run(value, scope)
        case ("assign", name, value):
            scope.find(name).names[name] = result = run(value, scope)
            return result
        case ("if", test, body, other):
            if run(test, scope):
                run(body, Scope(outer=scope))
            elif other:
                run(other, Scope(outer=scope))
        case ("while", test, body, _):
            while run(test, scope):
                run(body, Scope(outer=scope))
        case ("return", value):
            raise Return(run(value, scope))
        case ("value", value):
            return value
        case ("list", values):
            return [run(value, scope) for value in values]
        case ("name", name):
            return scope.find(name).names[name]
        case ("fn", parameters, body):
            return Function(parameters, body, scope)
        case ("call", function, values):
            return run(function, scope)(*(run(value, scope) for value in values))
        case ("index", target, key):
            return run(target, scope)[run(key, scope)]
        case ("unary", op, value):
            return -run(value, scope) if op == "-" else not run(value, scope)
        case ("binary", "&&", a, b):
            return run(a, scope) and run(b, scope)
        case ("binary", "||", a, b):
            return run(a, scope) or run(b, scope)
        case ("binary", op, a, b):
            return eval(f"a {op} b", {"a": run(a, scope), "b": run(b, scope)})


PROGRAMS = [
    'let fact = fn(n) { if n < 2 { return 1; } return n * fact(n - 1); }; print(fact(25));',
    'let counter = fn() { let n = 0; return fn() { n = n + 1; return n; }; }; let c = counter(); c(); print(c(), c());',
    'let i = 0; while i < 3 { print("i is", i, i % 2 == 0 && "even" || "odd"); i = i + 1; }',
    'let map = fn(f, xs) { let i = 0; let out = []; while i < len(xs) { push(out, f(xs[i])); i = i + 1; } return out; }; print(map(fn(x) { return x * x / 2; }, [1, 2.5, 3]));',
    'print(-2 + 3 * (4 - 1) >= 7, !0, [1, [2]][1][0]); # comment',
    "print(missing);", "let x = ;", 'print(1 + "a");', "fn(a) { return a; }(1, 2);", "let @ = 1;", "print([1][5]);",
]
for program in PROGRAMS:
    names = {"print": print, "len": len, "push": list.append}
    try:
        run(Parser(program).block(""), Scope(names))
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
