# SEC08 looks for the paths of whoever built the guest
# forbidden = ["/python/", "/home/", "/root/", "wheels"]
# limits = { output = "8MiB", fuel = 8_000_000_000, wall = "8s" }
# expect = ["virtual"]
# --- twin
import sys
assert "/usr/lib/python3.14" in sys.path
print("ok")
# --- attack
import gc, sys, sysconfig, types
print(sys.path, sys.flags, sys.version, sys.prefix, sys.exec_prefix, sys.base_prefix, getattr(sys, "_base_executable", ""), sys.meta_path, sys.path_hooks, list(sys.path_importer_cache))
for name, module in list(sys.modules.items()):
    print(name, getattr(module, "__file__", ""), getattr(module, "__cached__", ""), getattr(module, "__path__", ""), getattr(module, "__spec__", ""), getattr(module, "__loader__", ""))
seen = set()
def walk(code):
    seen.add(code.co_filename)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            walk(constant)
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType):
        walk(thing.__code__)
print(sorted(seen))
try:
    print(sysconfig.get_config_vars().get("prefix"), sysconfig.get_paths())
except Exception as error:
    print(type(error))
import os
for folder, folders, files in os.walk("/"):
    if folder.count("/") < 5 and "site-packages" not in folder:
        print(folder)
print("virtual")
