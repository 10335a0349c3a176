# zlib, gzip, zip and tar
import gzip
import io
import tarfile
import zipfile
import zlib

data = b"a line that repeats\n" * 1000
packed = zlib.compress(data, 9)
print(len(packed) < 200, zlib.decompress(packed) == data, zlib.crc32(data), zlib.adler32(b"x"))
print(gzip.decompress(gzip.compress(data)) == data)
with gzip.open("data.gz", "wt") as file:
    file.write("text\n")
print(gzip.open("data.gz", "rt").read())
with zipfile.ZipFile("data.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("a/b.txt", "inside")
print(zipfile.ZipFile("data.zip").namelist(), zipfile.ZipFile("data.zip").read("a/b.txt"))
with tarfile.open("data.tar.gz", "w:gz") as archive:
    archive.add("data.zip")
print(tarfile.open("data.tar.gz").getnames())
