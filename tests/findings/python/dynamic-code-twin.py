# expect:
import ast
import re

print(ast.literal_eval(input()))
eval("1 + 1")
TEXT = "x = 1"
exec(TEXT)


def evaluate(frame):
    return frame.eval("a + b"), re.compile("exec")


class Shell:
    def exec(self, line):
        return line


Shell().exec(input())
