# FS24 unpacks a bomb into the workspace
# limits = { workspace = "2MiB", fuel = 20_000_000_000, wall = "6s" }
# expect = ["limited:workspace", "limited:memory", "limited:fuel"]
# --- twin
import io, zipfile
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
    bundle.writestr("a.txt", "a" * 1000)
zipfile.ZipFile(archive).extractall()
assert len(open("a.txt").read()) == 1000
print("ok")
# --- attack
import io, zipfile
archive = io.BytesIO()
with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
    for number in range(20):
        bundle.writestr("%d" % number, bytes(1 << 20))
zipfile.ZipFile(archive).extractall()
print("got it all")
