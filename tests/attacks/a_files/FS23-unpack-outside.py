# FS23 unpacks archives whose names and links lead outside
# mounts = true
# expect = ["denied", "virtual"]
# --- twin
import io, tarfile
data = io.BytesIO()
with tarfile.open(fileobj=data, mode="w") as bundle:
    info = tarfile.TarInfo("a/b.txt")
    info.size = 1
    bundle.addfile(info, io.BytesIO(b"1"))
data.seek(0)
tarfile.open(fileobj=data).extractall(filter="fully_trusted")
assert open("a/b.txt").read() == "1"
print("ok")
# --- attack
import io, os, tarfile
def unpack(name, kind=tarfile.REGTYPE, target=""):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as bundle:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, target, 1 if kind == tarfile.REGTYPE else 0
        bundle.addfile(info, io.BytesIO(b"1"))
    data.seek(0)
    tarfile.open(fileobj=data).extractall(filter="fully_trusted")
for name in ["../../../../{{outside}}/x", "{{outside}}/x", "/etc/x", "a/../../../../x"]:
    try:
        unpack(name)
        print("virtual", name)
    except OSError:
        print("denied", name)
for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
    for name in ("link", "/write/unpacked"):
        try:
            unpack(name, kind, "{{outside}}/secret.txt")
            print("got" if open(name).read() else "denied", name)
        except (OSError, KeyError):
            print("denied", name)
for kind in (tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE):
    try:
        unpack("device", kind)
        print("got" if os.path.exists("device") else "denied", kind)
    except (OSError, AttributeError):
        print("denied", kind)
