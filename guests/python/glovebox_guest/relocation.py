"""Relocation: how do paths of the build become those of the run time?

Every path of the build that a program could meet, in tracebacks, `inspect`, `sys` or a module's attributes, is rewritten to where the
library is mounted at run time, or to `<glovebox>` for the guest's own code.
"""

from glovebox_guest.own import __builtins__

import builtins
import gc
import importlib.machinery
import os
import sys
import sysconfig
import types

from glovebox_guest import world

BUILD = "/python"
SITE = "/usr/lib/python3/site-packages"
GUEST = "<glovebox>"
PREFIX = "/usr"
KEPT_PATHS = [world.WORKSPACE, world.LIBRARY, SITE]
BUILD_TRACES = ("/home/", "/opt/", BUILD)
HELPERS = ("componentize_py", "glovebox_guest", "wit_world", "poll_loop")
"""First words of modules that make the guest work and that no program needs to see."""


def relocate(app):
    """Rewrites everything; after it nothing can be imported any more until the library is mounted."""
    _relocate_functions()
    _relocate_modules(app)
    _relocate_sys()
    _relocate_configuration()
    _relocate_license()


def moved(path):
    """Where a path of the build is at run time."""
    for prefix in (f"{BUILD}/lib/python3.14", BUILD):
        if path == prefix or path.startswith(prefix + "/"):
            return world.LIBRARY + path[len(prefix) :]
    return path if path.startswith(("<", world.LIBRARY)) else GUEST


def _relocate_functions():
    done = {}
    for thing in gc.get_objects():
        if type(thing) is types.FunctionType:
            thing.__code__ = _moved_code(thing.__code__, done)


def _moved_code(code, done):
    """The code object and all inside it with new file names; `done` keeps one object one object."""
    known = done.get(id(code))
    if known is not None:
        return known[1]
    constants = tuple(_moved_code(item, done) if type(item) is types.CodeType else item for item in code.co_consts)
    name = moved(code.co_filename)
    if name == code.co_filename and all(map(_is, constants, code.co_consts)):
        result = code
    else:
        result = code.replace(co_filename=name, co_consts=constants)
    # Both are kept, so that no identity is used twice.
    done[id(code)] = (code, result)
    done[id(result)] = (result, result)
    return result


def _is(one, other):
    return one is other


def _relocate_modules(app):
    world.application = app
    for name, module in list(sys.modules.items()):
        if name == app or name.startswith(HELPERS):
            _hide(module)
            # The builder still looks up the others. Its application goes when an instance wakes.
            if name.startswith("glovebox_guest"):
                world.helpers.append(sys.modules.pop(name))
        elif name == "glovebox":
            _hide(module)
        else:
            _relocate_module(module)


def _hide(module):
    for attribute in ("__file__", "__cached__"):
        vars(module).pop(attribute, None)
    module.__loader__ = None
    spec = importlib.machinery.ModuleSpec(module.__name__, None, origin=GUEST)
    if "__path__" in vars(module):
        module.__path__ = []
        spec.submodule_search_locations = []
    module.__spec__ = spec


def _relocate_module(module):
    content = vars(module)
    for attribute, held in list(content.items()):
        # Not only `__file__`: `logging`, for one, keeps its own path to know its own frames.
        if type(held) is str and held.startswith(BUILD + "/"):
            content[attribute] = moved(held)
        # Some objects (`unittest.mock.ANY`) are equal to everything.
        elif type(held) is str and held == BUILD:
            content[attribute] = PREFIX
    if isinstance(content.get("__path__"), list):
        module.__path__ = [moved(path) for path in module.__path__]
    spec = content.get("__spec__")
    if spec is None:
        return
    if isinstance(spec.origin, str) and spec.has_location:
        spec.origin = moved(spec.origin)
    if isinstance(spec._cached, str):
        spec._cached = moved(spec._cached)
    if spec.submodule_search_locations is not None:
        spec.submodule_search_locations = [moved(path) for path in spec.submodule_search_locations]
    if isinstance(getattr(spec.loader, "path", None), str):
        spec.loader.path = moved(spec.loader.path)
    state = spec.loader_state
    if isinstance(getattr(state, "filename", None), str):
        state.filename = moved(state.filename)


def _relocate_configuration():
    """Reads `sysconfig`'s variables anew, without those that tell of the machine that compiled Python."""
    sysconfig._CONFIG_VARS = None
    sysconfig._CONFIG_VARS_INITIALIZED = False
    variables = sysconfig.get_config_vars()
    for name, held in list(variables.items()):
        if isinstance(held, str) and any(trace in held for trace in BUILD_TRACES):
            variables[name] = ""
    for name in [name for name in sys.modules if name.startswith("_sysconfigdata")]:
        del sys.modules[name]


def _relocate_license():
    """The text that `license` shows is looked for beside the library."""
    for printer in (builtins.license, builtins.credits, builtins.copyright):
        printer._Printer__filenames = [path for path in map(moved, printer._Printer__filenames) if ".." not in path]


def _relocate_sys():
    sys.path[:] = KEPT_PATHS
    sys.prefix = sys.base_prefix = sys.exec_prefix = sys.base_exec_prefix = PREFIX
    sys._stdlib_dir = world.LIBRARY
    sys.executable = sys._base_executable = ""
    sys.argv = [""]
    # Caches of bytecode in the workspace would be taken for what the program made.
    sys.dont_write_bytecode = True
    os.__file__ = f"{world.LIBRARY}/os.py"
