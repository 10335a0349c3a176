# folders become archives, and archives folders
import os
import shutil
import tarfile
import zipfile

os.makedirs("tree/inner")
for name in ("tree/a.txt", "tree/inner/b.txt"):
    with open(name, "w") as file:
        file.write(name)
for kind in ("zip", "tar", "gztar"):
    shutil.unpack_archive(shutil.make_archive(f"made_{kind}", kind, ".", "tree"), kind)
    with open(f"{kind}/tree/inner/b.txt") as file:
        print(kind, file.read(), sorted(os.listdir(f"{kind}/tree")))
with zipfile.ZipFile("made_zip.zip", "a") as archive:
    archive.writestr("more.txt", "more")
    print(archive.testzip(), sorted(archive.namelist())[0])
with tarfile.open("made_gztar.tar.gz") as archive:
    print(sorted(member.name for member in archive if member.isfile()))
