# FS04 makes a link to an absolute path and uses it in every way
# mounts = true
# expect = ["denied", "absent"]
# --- twin
import os
open("f", "w").write("1")
os.symlink("f", "link")
assert os.readlink("link") == "f" and open("link").read() == "1" and os.stat("link").st_size == 1
os.unlink("link")
print("ok")
# --- attack
import os
for place in [".", "/write", "/tmp"]:
    link = place + "/link"
    try:
        os.symlink("{{outside}}/secret.txt", link)
    except OSError:
        pass
    attempt("open in " + place, lambda: open(link).read())
    attempt("write in " + place, lambda: open(link, "w").write("gone"))
    attempt("stat in " + place, lambda: os.stat(link))
    attempt("truncate in " + place, lambda: os.truncate(link, 0))
    attempt("utime in " + place, lambda: os.utime(link, (1, 1)))
    attempt("chmod in " + place, lambda: os.chmod(link, 0o777))
    attempt("link in " + place, lambda: os.link(link, place + "/hard", follow_symlinks=True) or open(place + "/hard").read())
