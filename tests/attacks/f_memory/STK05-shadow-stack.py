# STK05 overflows the guest's own C stack by recursion through C code
# expect = ["denied", "limited:stack", "limited:memory", "limited:fuel"]
# --- twin
import functools
assert functools.reduce(lambda a, b: a + b, range(10)) == 45
print("ok")
# --- attack
import functools, re, sys, xml.etree.ElementTree as tree
sys.setrecursionlimit(min(10 ** 6, 2 ** 31 - 1))
def through_map(number):
    return list(map(through_map, [number + 1]))
attempt("map", through_map, 0)
def through_sort(number):
    return sorted([1, 2], key=lambda _: through_sort(number + 1))
attempt("sort", through_sort, 0)
class Endless:
    def __getattr__(self, name):
        return getattr(self, name + "x")
    def __eq__(self, other):
        return self == other
    def __repr__(self):
        return repr([self])
attempt("getattr", lambda: Endless().a)
attempt("eq", lambda: Endless() == 1)
attempt("repr", lambda: repr(Endless()))
attempt("regex", lambda: re.compile("(" * 5000 + ")" * 5000).match("") and 1 / 0)
chain = iter([1])
for _ in range(100_000):
    chain = map(int, chain)
attempt("iterators", lambda: next(chain) and 1 / 0)
partial = print
for _ in range(100_000):
    partial = functools.partial(functools.partial, partial)
attempt("partial", lambda: repr(partial) and 1 / 0)
element = root = tree.Element("a")
for _ in range(100_000):
    element = tree.SubElement(element, "a")
attempt("xml", lambda: tree.tostring(root) and 1 / 0)
