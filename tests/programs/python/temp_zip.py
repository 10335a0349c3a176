# packs files into archives, reads them back, and compares digests
import gzip
import hashlib
import io
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path

with tempfile.TemporaryDirectory(prefix="pack-") as name:
    base = Path(name)
    print(base.exists(), base.name.startswith("pack-"))
    (base / "data").mkdir()
    for number in range(3):
        (base / "data" / f"file{number}.txt").write_text(f"content {number}\n" * 50)
    with zipfile.ZipFile(base / "out.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(base.glob("data/*.txt")):
            info = zipfile.ZipInfo(path.relative_to(base).as_posix(), (2024, 5, 6, 7, 8, 10))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, path.read_bytes())
        archive.comment = b"made by a test"
    with zipfile.ZipFile(base / "out.zip") as archive:
        for info in archive.infolist():
            print(info.filename, info.file_size, f"{info.CRC:08x}", info.date_time)
        print(archive.testzip(), archive.comment, archive.read("data/file1.txt")[:10])
        with archive.open("data/file2.txt") as member:
            print(sum(1 for _ in member))
        archive.extract("data/file0.txt", base / "there")
        try:
            archive.read("nothing")
        except KeyError as error:
            print(error)
    print((base / "there/data/file0.txt").stat().st_size, zipfile.is_zipfile(base / "out.zip"))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for number in range(2):
            content = bytes([number]) * 1000
            member = tarfile.TarInfo(f"bin/{number}.dat")
            member.size, member.mtime, member.mode = len(content), 1_700_000_000, 0o640
            tar.addfile(member, io.BytesIO(content))
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        for member in tar:
            print(member.name, member.size, oct(member.mode), member.isfile(), tar.extractfile(member).read(3))
print(base.exists())
text = b"the same text again and again " * 40
packed = gzip.compress(text, mtime=0)
print(len(text), gzip.decompress(packed) == text, packed[:4].hex(), zlib.crc32(text), zlib.adler32(text))
for name in ("md5", "sha1", "sha256", "sha3_256", "blake2b"):
    print(name, hashlib.new(name, text).hexdigest()[:32])
try:
    zlib.decompress(b"nonsense")
except zlib.error as error:
    print(error)
try:
    zipfile.ZipFile(io.BytesIO(b"nonsense"))
except zipfile.BadZipFile as error:
    print(error)
with tempfile.NamedTemporaryFile("w+", suffix=".txt") as file:
    file.write("kept")
    file.seek(0)
    print(file.read(), Path(file.name).suffix)
spool = tempfile.SpooledTemporaryFile(max_size=10)
spool.write(b"0123456789abc")
print(spool.tell(), tempfile.gettempdir())
