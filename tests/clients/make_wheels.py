"""Makes the archives of an index of packages, some of which no sensible person would publish.

    make_wheels.py DIRECTORY CANARY

What must never run writes a file into the folder CANARY.
"""

import base64
import hashlib
import io
import json
import os
import sys
import tarfile
import zipfile

directory, canary = sys.argv[1:]


def digest(content):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def wheel(name, version, files, tag="py3-none-any", requires=(), entries=()):
    """A wheel with its metadata; `entries` go in as they are, whatever they are."""
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(f"Requires-Dist: {one}\n" for one in requires)
    pure = "true" if tag.endswith("none-any") else "false"
    files = {
        **{path: text.encode() for path, text in files.items()},
        f"{info}/METADATA": metadata.encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},{digest(content)},{len(content)}\n" for path, content in files.items())
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()
    with zipfile.ZipFile(f"{directory}/{name}-{version}-{tag}.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        for entry, content in entries:
            archive.writestr(entry, content)
        for path, content in files.items():
            archive.writestr(path, content)


def link(path, target):
    entry = zipfile.ZipInfo(path)
    entry.create_system = 3
    entry.external_attr = 0o120777 << 16
    return entry, target


touch = f"import os, pathlib\ntry:\n    pathlib.Path({canary!r}, NAME).touch()\nexcept OSError:\n    pass\n"
for version in ("1.0", "1.1", "2.0"):
    wheel("good", version, {"good.py": f"version = {version!r}\n"})
wheel("needs_bad", "1.0", {"needs_bad.py": ""}, requires=["bad"])
wheel("bad", "1.0", {"bad.py": touch.replace("NAME", "'imported'")})
wheel("only_native", "1.0", {"only_native.py": "", "only_native.so": "\x7fELF"}, tag="cp314-cp314-manylinux_2_17_x86_64")
wheel("older_pure", "1.0", {"older_pure.py": ""})
wheel("older_pure", "2.0", {"older_pure.py": ""}, tag="cp314-cp314-manylinux_2_17_x86_64")
wheel("starts", "1.0", {"starts.py": "", "starts.pth": "import starts_at_once\n", "starts_at_once.py": touch.replace("NAME", "'started'")})
wheel("slips", "1.0", {"slips.py": ""}, entries=[(f"../../../../../../../../../..{canary}/slipped", "x")])
wheel("climbs", "1.0", {"climbs.py": ""}, entries=[(f"{canary}/climbed", "x")])
wheel("links", "1.0", {"links.py": ""}, entries=[link("links_out", "/etc/passwd"), link("folder", canary), ("folder/through", "x")])
wheel("lies", "1.0", {"lies.py": ""})
zeros = "\0" * (1 << 20)
with zipfile.ZipFile(f"{directory}/swells-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
    with archive.open("swells.bin", "w", force_zip64=True) as file:
        for _ in range(2600):
            file.write(zeros.encode())
    archive.writestr("swells-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: swells\nVersion: 1.0\n")
    archive.writestr("swells-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    archive.writestr("swells-1.0.dist-info/RECORD", "swells.bin,,\nswells-1.0.dist-info/RECORD,,\n")
setup = touch.replace("NAME", "'built'") + "from setuptools import setup\nsetup(name='builds', version='1.0')\n"
with tarfile.open(f"{directory}/builds-1.0.tar.gz", "w:gz") as archive:
    for path, text in {"setup.py": setup, "PKG-INFO": "Metadata-Version: 2.1\nName: builds\nVersion: 1.0\n"}.items():
        entry = tarfile.TarInfo(f"builds-1.0/{path}")
        entry.size = len(text.encode())
        archive.addfile(entry, io.BytesIO(text.encode()))


def npm(name, members, integrity):
    """An npm package and what the registry says of it; `integrity` lists the digests, of which `lie` is of something else."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path, data in members:
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    content = content.getvalue()
    folder = os.path.join(directory, "npm")
    os.makedirs(folder, exist_ok=True)
    file = name.replace("/", "-").lstrip("@")
    with open(f"{folder}/{file}-1.0.0.tgz", "wb") as archive:
        archive.write(content)

    def sri(kind):
        kind, of = ("sha512", b"lie") if kind == "lie" else (kind, content)
        return f"{kind}-" + base64.b64encode(hashlib.new(kind, of).digest()).decode()

    dist = {"tarball": f"https://HOST/npm/-/{file}-1.0.0.tgz", "shasum": hashlib.sha1(content).hexdigest()}
    if integrity:
        dist["integrity"] = " ".join(map(sri, integrity))
    version = {"name": name, "version": "1.0.0", "dist": dist}
    with open(f"{folder}/{file}.json", "w") as page:
        json.dump({"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}, page)


def module(name):
    manifest = json.dumps({"name": name, "version": "1.0.0", "main": "index.js"})
    return [("package/package.json", manifest.encode()), ("package/index.js", b"module.exports = 'there';\n")]


npm("plain", module("plain"), ["sha512"])
npm("@own/scoped", module("@own/scoped"), ["sha384"])
npm("mixed", module("mixed"), ["sha1", "sha512"])
npm("only-shasum", module("only-shasum"), [])
npm("only-sha1", module("only-sha1"), ["sha1"])
npm("only-md5", module("only-md5"), ["md5", "sha1"])
npm("lies", module("lies"), ["lie"])
npm("lies-strongly", module("lies-strongly"), ["sha1", "lie"])
npm("swells", [*module("swells"), ("package/zeros", bytes(200 << 20))], ["sha512"])
npm("climbs", [*module("climbs"), (f"package/../../../../../../../../../..{canary}/climbed", b"x")], ["sha512"])
npm("many-names", [*module("many-names"), *((f"package/{n}/{n}", b"") for n in range(150_000))], ["sha512"])
os.makedirs(canary, exist_ok=True)
