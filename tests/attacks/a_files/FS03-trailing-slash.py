# FS03 follows links whose path or target ends in a slash
# mounts = true
# expect = ["denied"]
# --- twin
import os
os.mkdir("target")
open("target/f", "w").write("1")
os.symlink("target", "link")
assert open("link/f").read() == "1" and os.listdir("link/") == ["f"]
print("ok")
# --- attack
import os
for target in ["/etc/", "{{outside}}/", "{{outside}}", "../../../../../etc/", "/"]:
    name = "l%d" % len(os.listdir("."))
    try:
        os.symlink(target, name)
    except OSError:
        pass
    for path in [name + "/", name + "/secret.txt", name + "/passwd", name + "/./secret.txt", name + "//secret.txt/"]:
        attempt(target + " by " + path, lambda: open(path).read())
    attempt("list " + target, lambda: os.listdir(name + "/etc/") if target == "/" else os.listdir(name + "/secret.txt/"))
for path in ["/read/link-out/", "/read/link-out/secret.txt", "/read/link-out/secret.txt/", "/read/link-up", "/read/link-up/", "/write/link-secret", "/write/link-secret/"]:
    attempt(path, lambda: open(path).read())
for path in ["/read/link-out/", "/read/link-out"]:
    attempt("list " + path, lambda: os.listdir(path))
attempt("write", lambda: open("/write/link-secret", "w").write("gone"))
attempt("rename", lambda: os.rename("/read/link-out/", "/write/out/"))
