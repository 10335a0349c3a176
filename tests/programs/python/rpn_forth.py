# a small stack language with words, loops and errors
import operator
import sys


class ForthError(Exception):
    pass


class Forth:
    def __init__(self):
        self.stack, self.words, self.output, self.variables = [], {}, [], {}
        binary = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv, "mod": operator.mod,
                  "=": lambda a, b: -(a == b), "<": lambda a, b: -(a < b), ">": lambda a, b: -(a > b), "and": operator.and_, "xor": operator.xor}
        self.primitives = {name: self._binary(function) for name, function in binary.items()}
        self.primitives |= {
            "dup": lambda: self.push(self.stack[-1]),
            "drop": lambda: self.pop(),
            "swap": lambda: self.stack.__setitem__(slice(-2, None), self.stack[:-3:-1]),
            "over": lambda: self.push(self.stack[-2]),
            ".": lambda: self.output.append(f"{self.pop()} "),
            "emit": lambda: self.output.append(chr(self.pop())),
            "cr": lambda: self.output.append("\n"),
            ".s": lambda: self.output.append(f"<{len(self.stack)}> {' '.join(map(str, self.stack))} "),
        }

    def _binary(self, function):
        def run():
            b, a = self.pop(), self.pop()
            self.push(function(a, b))
        return run

    def push(self, value):
        self.stack.append(value)

    def pop(self):
        if not self.stack:
            raise ForthError("stack underflow")
        return self.stack.pop()

    def run(self, text):
        self.execute(iter(text.lower().split()))
        out, self.output = "".join(self.output), []
        return out

    def block(self, tokens, *ends):
        depth, parts, current = 0, {}, []
        for token in tokens:
            if depth == 0 and token in ends:
                parts[token] = current
                if token == ends[-1]:
                    return parts
                current = []
                continue
            depth += (token in ("if", "do")) - (token in ("then", "loop"))
            current.append(token)
        raise ForthError(f"missing {ends[-1]}")

    def execute(self, tokens, index=0):
        for token in tokens:
            if token == ":":
                body = self.block(tokens, ";")[";"]
                self.words[body[0]] = body[1:]
            elif token == "if":
                parts = self.block(tokens, "else", "then")
                yes, no = (parts["else"], parts["then"]) if "else" in parts else (parts["then"], [])
                self.execute(iter(yes if self.pop() else no), index)
            elif token == "do":
                body = self.block(tokens, "loop")["loop"]
                start, limit = self.pop(), self.pop()
                for i in range(start, limit):
                    self.execute(iter(body), i)
            elif token == "i":
                self.push(index)
            elif token == "(":
                while next(tokens, ")") != ")":
                    pass
            elif token in self.words:
                self.execute(iter(self.words[token]), index)
            elif token in self.primitives:
                try:
                    self.primitives[token]()
                except IndexError:
                    raise ForthError("stack underflow") from None
            else:
                try:
                    self.push(int(token))
                except ValueError:
                    raise ForthError(f"{token} ?") from None


forth = Forth()
for line in ["1 2 + .", ": square dup * ;", "7 square .", "10 0 do i square . loop cr", ": fact dup 2 < if drop 1 else dup 1 - fact * then ;", "20 fact .", ": stars 0 do 42 emit loop ;", "4 1 do i stars cr loop", "3 0 do 3 0 do i . loop loop", "1 2 3 swap .s", "drop drop drop drop", "5 0 /", "hello", ": broken if 1", "( a comment ) -7 2 / . -7 2 mod ."]:
    try:
        result = forth.run(line)
        print(f"{line!r}: {result!r} ok")
    except (ForthError, ZeroDivisionError) as error:
        print(f"{line!r}: {type(error).__name__}: {error}")
        forth.stack.clear()
print(sys.getrecursionlimit(), forth.words["fact"])
