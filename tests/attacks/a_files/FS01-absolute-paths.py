# FS01 opens the host's files by their absolute paths
# expect = ["denied"]
# --- twin
open("own.txt", "w").write("mine")
assert open("/work/own.txt").read() == "mine"
print("ok")
# --- attack
import os
paths = ["/etc/passwd", "/etc/shadow", "/root/.ssh/id_rsa", "/proc/self/environ", "/proc/1/cmdline", "/proc/self/mem", "/dev/mem",
         "/sys/class/dmi/id/product_name", "/var/run/docker.sock", "{{outside}}/secret.txt", "//{{outside}}//secret.txt"]
for path in paths:
    attempt(path, lambda: open(path).read())
    attempt(path + " as descriptor", lambda: os.open(path, os.O_RDONLY))
for folder in ["/etc", "/root", "/proc", "/home", "{{outside}}"]:
    attempt(folder, lambda: os.listdir(folder))
