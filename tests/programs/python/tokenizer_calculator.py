# a tokenizer, a recursive descent parser and an evaluator of arithmetic
import operator
import re
from dataclasses import dataclass
from typing import Iterator, Union

TOKENS = re.compile(
    r"""
    (?P<NUMBER>\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)
  | (?P<NAME>[A-Za-z_]\w*)
  | (?P<POWER>\*\*)
  | (?P<OP>[-+*/%()=])
  | (?P<SPACE>\s+)
  | (?P<BAD>.)
    """,
    re.VERBOSE,
)


@dataclass
class Token:
    kind: str
    text: str
    column: int


def tokenize(text: str) -> Iterator[Token]:
    for match in TOKENS.finditer(text):
        kind = match.lastgroup
        if kind == "BAD":
            raise SyntaxError(f"unexpected {match.group()!r} at {match.start()}")
        if kind != "SPACE":
            yield Token(kind, match.group(), match.start())
    yield Token("END", "", len(text))


class Parser:
    LEVELS = [{"+": operator.add, "-": operator.sub}, {"*": operator.mul, "/": operator.truediv, "%": operator.mod}]

    def __init__(self, names):
        self.names = names

    def run(self, text):
        self.tokens = list(tokenize(text))
        self.place = 0
        if len(self.tokens) > 2 and self.tokens[0].kind == "NAME" and self.tokens[1].text == "=":
            self.place = 2
            value = self.names[self.tokens[0].text] = self.level(0)
        else:
            value = self.level(0)
        if self.peek.kind != "END":
            raise SyntaxError(f"unexpected {self.peek}")
        return value

    @property
    def peek(self) -> Token:
        return self.tokens[self.place]

    def next(self):
        self.place += 1
        return self.tokens[self.place - 1]

    def level(self, number) -> Union[int, float]:
        if number == len(self.LEVELS):
            return self.power()
        value = self.level(number + 1)
        while self.peek.text in self.LEVELS[number]:
            value = self.LEVELS[number][self.next().text](value, self.level(number + 1))
        return value

    def power(self):
        base = self.atom()
        if self.peek.kind == "POWER":
            self.next()
            return base ** self.power()
        return base

    def atom(self):
        match self.next():
            case Token("NUMBER", text):
                return float(text) if re.search(r"[.eE]", text) else int(text)
            case Token("NAME", name):
                return self.names[name]
            case Token("OP", "-"):
                return -self.power()
            case Token("OP", "("):
                value = self.level(0)
                if self.next().text != ")":
                    raise SyntaxError("missing )")
                return value
            case token:
                raise SyntaxError(f"unexpected {token}")


parser = Parser({"pi": 3.141592653589793})
for line in ["1 + 2 * 3", "-2 ** 2", "2 ** 3 ** 2", "(1 + 2) * 3 / 4", "x = 10 % 4", "x * pi", "1e3 / 7", "y + 1", "2 $ 3", "(1", "1 / 0"]:
    try:
        print(f"{line:<18} = {parser.run(line)!r}")
    except Exception as error:
        print(f"{line:<18} ! {type(error).__name__}: {error}")
