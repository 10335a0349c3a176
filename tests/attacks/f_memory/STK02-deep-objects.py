# STK02 shows, copies and pickles an object that is nested too deeply
# expect = ["denied", "limited:stack", "limited:memory", "limited:fuel"]
# --- twin
import copy, pickle
nested = []
for _ in range(50):
    nested = [nested]
assert copy.deepcopy(nested) == nested == pickle.loads(pickle.dumps(nested)) and repr(nested)
print("ok")
# --- attack
import ast, copy, json, marshal, pickle
nested = []
for _ in range(200_000):
    nested = [nested]
attempt("repr", lambda: repr(nested))
attempt("deepcopy", lambda: copy.deepcopy(nested))
attempt("pickle", lambda: pickle.dumps(nested))
attempt("marshal", lambda: marshal.dumps(nested))
attempt("json", lambda: json.dumps(nested))
attempt("compare", lambda: nested == [nested] and 1 / 0)
attempt("literal", lambda: ast.literal_eval("[" * 100_000 + "]" * 100_000))
attempt("parse", lambda: ast.parse("-" * 100_000 + "1") and 1 / 0)
attempt("hash", lambda: hash(eval("(" * 90 + "()" + ",)" * 90 + "*100") and 1 / 0))
