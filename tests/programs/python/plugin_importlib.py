# writes modules to files, imports and reloads them, and reads resources
import importlib
import importlib.util
import pkgutil
import runpy
import sys
import types
from pathlib import Path

plugins = Path("plugins")
plugins.mkdir()
(plugins / "__init__.py").write_text('"""A package of plugins."""\n__version__ = "1.2"\nfrom . import hello\n')
(plugins / "hello.py").write_text('NAME = "hello"\n\ndef run(who):\n    """Greets."""\n    return f"Hello, {who}!"\n')
(plugins / "math_plugin.py").write_text("from .hello import NAME as OTHER\nNAME = 'math'\n\ndef run(n):\n    return int(n) ** 2, OTHER\n")
(plugins / "broken.py").write_text("def run(:\n    pass\n")
(plugins / "failing.py").write_text("import no_such_module_here\n")
(plugins / "__main__.py").write_text("import sys\nprint('main of', __package__, __name__)\nRESULT = 5\n")
importlib.invalidate_caches()

package = importlib.import_module("plugins")
print(package.__doc__, package.__version__, package.hello.run("Ann"))
for info in sorted(pkgutil.iter_modules([str(plugins)]), key=lambda info: info.name):
    if info.name == "__main__":
        continue
    try:
        module = importlib.import_module(f"plugins.{info.name}")
    except SyntaxError as error:
        print(info.name, "SyntaxError", error.msg, error.lineno)
    except ImportError as error:
        print(info.name, type(error).__name__, error, error.name)
    else:
        print(info.name, module.NAME, module.run("7"), module.__package__, info.ispkg)
(plugins / "hello.py").write_text('NAME = "changed"\nVALUE = 10 ** 3\n')
importlib.invalidate_caches()
hello = importlib.reload(package.hello)
print(hello.NAME, hello.VALUE, hasattr(hello, "run"), hello is sys.modules["plugins.hello"])

spec = importlib.util.spec_from_file_location("standalone", plugins / "math_plugin.py", submodule_search_locations=[])
print(spec.name, Path(spec.origin).name, importlib.util.find_spec("no_such_module_here"), importlib.util.find_spec("json").name)
made = types.ModuleType("made", "Made by hand.")
exec("x = 1\ndef f(): return x + 1", made.__dict__)
sys.modules["made"] = made
import made as again

print(again.f(), again.__doc__, again.__name__)
values = runpy.run_module("plugins", run_name="__main__")
print(values["RESULT"])
Path("script.py").write_text("a = 1\nb = a + len(__name__)\n")
print({k: v for k, v in runpy.run_path("script.py", init_globals={"z": 0}).items() if not k.startswith("__")})
for statement in ("import nothing_at_all", "from math import nope", "from plugins import nothing", "import plugins.hello.deep", "from . import x"):
    try:
        exec(statement)
    except ImportError as error:
        print(f"{statement}: {type(error).__name__}: {error}".replace(str(Path.cwd()), "."))
sys.path.insert(0, str(Path("lib").resolve()))
Path("lib").mkdir()
Path("lib/helper_mod.py").write_text("import sys\ndef where(): return __name__, sys.path[0].endswith('lib')\n")
import helper_mod

print(helper_mod.where(), helper_mod.__spec__.name, helper_mod.__file__.endswith("lib/helper_mod.py"))


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.startswith("virtual_"):
            return importlib.util.spec_from_loader(name, Finder)

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        module.answer = len(module.__name__)


sys.meta_path.append(Finder)
import virtual_thing

print(virtual_thing.answer, virtual_thing.__name__)
