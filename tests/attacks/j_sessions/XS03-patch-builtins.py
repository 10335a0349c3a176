# XS03 patches whatever the next run will use
# expect = ["virtual", "denied"]
# --- twin
import json
assert json.dumps([1]) == "[1]"
print("ok")
# --- attack
import builtins, json, sys, os
original = builtins.print
builtins.print = lambda *things, **more: original("got", *things)
builtins.__import__ = None
json.dumps = lambda *_: "got"
sys.modules["math"] = None
sys.meta_path.clear()
sys.path[:] = ["/tmp"]
os.environ["LEFT"] = "got"
sys.stdout.write("virtual\n")
# --- next
import builtins, json, math, os, sys
assert json.dumps([1]) == "[1]" and math.pi > 3 and "LEFT" not in os.environ and "/tmp" not in sys.path and sys.meta_path
print("ok")
