# the environment that every program has, and that of the request over it
# environment = { LC_ALL = "C", HOME = "/tmp" }
import os
import pathlib
import shutil

print([os.environ[name] for name in ("HOME", "LANG", "PATH", "LC_ALL")], os.getenv("USER"))
print(pathlib.Path.home(), os.path.expanduser("~/x"), os.path.expandvars("$HOME/y:${LC_ALL}"))
print(os.environ["PATH"].split(os.pathsep), os.get_exec_path(), shutil.which("no-such-program"))
os.environ["PATH"] += os.pathsep + "/opt"
del os.environ["HOME"]
print(os.environ["PATH"], "HOME" in os.environ, pathlib.Path.home())
