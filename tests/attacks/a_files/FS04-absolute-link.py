# FS04 makes a link to an absolute path and uses it in every way
# mounts = true
# expect = ["denied", "absent"]
# --- twin
import os, stat
open("f", "w").write("1")
os.symlink("f", "link")
assert os.readlink("link") == "f" and open("link").read() == "1" and os.stat("link").st_size == 1
os.unlink("link")
print("ok")
# --- attack
import os, stat
for place in [".", "/write", "/tmp"]:
    link = place + "/link"
    attempt("symlink in " + place, lambda: os.symlink("{{outside}}/secret.txt", link))
for link in ["link", "/write/link", "/tmp/link", "/read/link-up", "/read/link-out", "/write/link-secret"]:
    if not os.path.islink(link):
        print("denied", link)
        continue
    attempt("open " + link, lambda: open(link).read())
    attempt("write " + link, lambda: open(link, "w").write("gone"))
    # The link itself may be described, what it leads to may not.
    if not stat.S_ISLNK(os.stat(link).st_mode):
        print("got stat", link)
    attempt("truncate " + link, lambda: os.truncate(link, 0))
    attempt("utime " + link, lambda: os.utime(link, (1, 1)))
    attempt("link " + link, lambda: os.link(link, "/write/hard") or open("/write/hard").read())
