"""Bytecode compiler: how is the standard library compiled inside the guest?

Runs inside the guest that the library is for, so the bytecode fits it. The files carry an unchecked hash: the library is read-only, so
an import need not compare them with the sources.
"""

import importlib.util
import marshal
import os
import sys

source_root, target_root = sys.argv[1:]
for folder, folders, names in os.walk(source_root):
    folders.sort()
    target = target_root + folder[len(source_root):] + "/__pycache__"
    for name in sorted(names):
        if not name.endswith(".py"):
            continue
        path = f"{folder}/{name}"
        with open(path, "rb") as file:
            text = file.read()
        try:
            code = compile(text, path, "exec", dont_inherit=True, optimize=0)
        except SyntaxError:
            # Some templates of the library are not modules.
            continue
        os.makedirs(target, exist_ok=True)
        header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + importlib.util.source_hash(text)
        with open(f"{target}/{name[:-3]}.{sys.implementation.cache_tag}.pyc", "wb") as file:
            file.write(header + marshal.dumps(code))

with open(f"{target_root}/version", "w") as file:
    file.write(".".join(map(str, sys.version_info[:3])))
