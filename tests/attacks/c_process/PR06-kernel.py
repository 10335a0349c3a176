# PR06 to PR10 ask the kernel for namespaces, mounts, tracing and device files
# expect = ["absent", "denied"]
# --- twin
import os
assert os.name == "posix"
print("ok")
# --- attack
import os
for name, arguments in [("unshare", (0x10000000,)), ("setns", (0, 0)), ("chroot", ("/",)), ("setuid", (0,)), ("setgid", (0,)), ("setgroups", ([0],)),
                        ("pidfd_open", (1,)), ("memfd_create", ("x",)), ("sched_setaffinity", (0, [0])), ("setpriority", (0, 0, -20)), ("mknod", ("x",)), ("eventfd", (0,))]:
    attempt(name, lambda: getattr(os, name)(*arguments))
for module in ["ctypes", "_ctypes", "fcntl", "resource", "mmap", "termios", "pwd", "syslog"]:
    attempt(module, lambda: __import__(module))
for path in ["/proc/1/mem", "/proc/self/mem", "/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/sys/fs/cgroup/release_agent", "/dev/kvm", "/dev/mem",
             "/dev/fuse", "/dev/net/tun", "/dev/sda", "/dev/console", "/proc/self/exe", "/proc/self/fd/7"]:
    attempt(path, lambda: open(path, "r+b"))
