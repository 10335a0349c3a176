# SEC07 asks who and where it is
# expect = ["denied", "absent", "virtual"]
# --- twin
import os
assert os.getcwd() == "/work"
print("ok")
# --- attack
import getpass, os, platform, socket, sys, time, uuid
for name, ask in [("uname", platform.uname), ("node", platform.node), ("os.uname", lambda: os.uname()), ("hostname", socket.gethostname), ("mac", lambda: hex(uuid.getnode())),
                  ("user", getpass.getuser), ("uid", lambda: os.getuid()), ("login", lambda: os.getlogin()), ("cpus", os.cpu_count), ("load", lambda: os.getloadavg()),
                  ("pid", os.getpid), ("uptime", time.monotonic), ("home", lambda: os.path.expanduser("~")), ("platform", platform.platform), ("zone", lambda: time.tzname),
                  ("machine-id", lambda: open("/etc/machine-id").read()), ("cpu", lambda: open("/proc/cpuinfo").read()), ("root", lambda: os.stat("/")),
                  ("interfaces", lambda: socket.if_nameindex()), ("processor", platform.processor), ("exe", lambda: sys.executable)]:
    try:
        print("virtual", name, ask())
    except (AttributeError, OSError, KeyError, ImportError, NotImplementedError) as error:
        print("denied", name, type(error).__name__)
if time.monotonic() > 60:
    print("got the host's uptime")
