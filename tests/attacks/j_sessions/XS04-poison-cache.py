# XS04 poisons the caches of compiled code
# expect = ["virtual", "denied"]
# --- twin
import py_compile
open("m.py", "w").write("x = 1")
py_compile.compile("m.py")
import m
assert m.x == 1
print("ok")
# --- attack
import os, py_compile
open("evil.py", "w").write("print('got poisoned')")
py_compile.compile("evil.py", "evil.pyc")
content = open("evil.pyc", "rb").read()
for folder in ["/usr/lib/python3.14/__pycache__", "/usr/lib/python3.14/json/__pycache__", "/work/__pycache__", "/tmp/__pycache__"]:
    for name in ["colorsys", "__init__", "json"]:
        try:
            os.makedirs(folder, exist_ok=True)
            open("%s/%s.cpython-314.pyc" % (folder, name), "wb").write(content)
            print("virtual", folder)
        except OSError:
            print("denied", folder)
# --- next
import colorsys, json
assert json.dumps(1) == "1" and colorsys.ONE_THIRD
print("ok")
