# modules and packages of the program's own
# files = { "helper.py" = "value = 41\ndef add(n):\n    return value + n\n", "pack/__init__.py" = "from .inner import word\n", "pack/inner.py" = "word = 'inside'\n" }
import importlib

import helper
import pack
from helper import add

print(add(1), pack.word, helper.__name__, helper.__file__)
with open("later.py", "w") as file:
    file.write("x = 'made at run time'\n")
importlib.invalidate_caches()
import later

print(later.x)
try:
    import nothing_of_the_kind
except ModuleNotFoundError as error:
    print(error.name, error, error.args, error.msg)
