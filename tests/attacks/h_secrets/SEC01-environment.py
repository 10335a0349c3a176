# SEC01 looks for the host's environment
# environment = {}
# expect = ["denied", "virtual"]
# --- twin
import os
assert os.environ["LANG"] == "C.UTF-8"
os.environ["MINE"] = "1"
assert os.getenv("MINE") == "1"
print("ok")
# --- attack
import os, sys
print("virtual", dict(os.environ), sys.argv, sys.orig_argv, sys.executable, sys.prefix, os.environb if hasattr(os, "environb") else "")
own = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/work"}
for name in ["PATH", "HOME", "USER", "PWD", "HOSTNAME", "AWS_SECRET_ACCESS_KEY", "CARGO_MANIFEST_DIR", "RUSTUP_HOME"]:
    if os.environ.get(name) != own.get(name):
        print("got", name)
for path in ["/proc/self/environ", "/proc/1/environ", "/proc/self/cmdline", "/proc/self/maps"]:
    attempt(path, lambda: open(path, "rb").read())
