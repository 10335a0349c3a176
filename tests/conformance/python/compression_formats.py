# bzip2, xz and Zstandard, alone and in archives
import bz2
import io
import lzma
import os
import shutil
import tarfile
import zipfile
from compression import zstd

data = b"".join(b"line %d of a text that repeats\n" % (number * number % 97) for number in range(3000))
for module in (bz2, lzma, zstd):
    packed = module.compress(data)
    print(module.__name__, len(packed) < len(data) // 5, module.decompress(packed) == data, module.decompress(packed * 2) == data * 2)
    with module.open("one", "wt") as file:
        file.write("first\nsecond\n")
    with module.open("one", "rt") as file:
        print(list(file))
for module, error in ((bz2, OSError), (lzma, lzma.LZMAError), (zstd, zstd.ZstdError)):
    try:
        module.decompress(b"this is nothing of the kind")
    except error as found:
        print(type(found).__name__, found)

print(bz2.compress(b"as it is everywhere").hex())
print(lzma.compress(b"as it is everywhere", lzma.FORMAT_ALONE).hex())
print(zstd.compress(b"as it is everywhere").hex())
chain = [{"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2, "preset": 4 | lzma.PRESET_EXTREME, "lc": 2}]
raw = lzma.compress(data, lzma.FORMAT_RAW, filters=chain)
print(lzma.decompress(raw, lzma.FORMAT_RAW, filters=chain) == data)
reader = lzma.LZMADecompressor()
parts = [reader.decompress(lzma.compress(data, check=lzma.CHECK_SHA256) + b"rest", 1000)]
while not reader.eof:
    parts.append(reader.decompress(b"", 1000))
print(b"".join(parts) == data, reader.check == lzma.CHECK_SHA256, reader.unused_data, max(map(len, parts)))
dictionary = zstd.train_dict([b"name=%d;kind=sample;value=%d" % (number, number * 7) for number in range(2000)], 2048)
small = zstd.compress(b"name=17;kind=sample;value=5", zstd_dict=dictionary)
print(zstd.decompress(small, zstd_dict=dictionary), zstd.get_frame_info(small).dictionary_id == dictionary.dict_id)
writer = zstd.ZstdCompressor(options={zstd.CompressionParameter.checksum_flag: 1, zstd.CompressionParameter.compression_level: 19})
print(zstd.decompress(writer.compress(data[:500]) + writer.flush(writer.FLUSH_BLOCK) + writer.compress(data[500:]) + writer.flush()) == data)

os.makedirs("tree/inner")
with open("tree/inner/a.txt", "wb") as file:
    file.write(data)
for kind in ("bztar", "xztar", "zstdtar"):
    name = shutil.make_archive("made", kind, ".", "tree")
    shutil.unpack_archive(name, kind)
    with open(f"{kind}/tree/inner/a.txt", "rb") as file, tarfile.open(name) as archive:
        print(os.path.basename(name), file.read() == data, archive.getnames())
with tarfile.open("made.tar.xz", "r:xz") as archive:
    print(archive.getmember("tree/inner/a.txt").size)
for kind in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_ZSTANDARD):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", kind) as archive:
        archive.writestr("a.txt", data)
    with zipfile.ZipFile(held) as archive:
        print(archive.infolist()[0].compress_type, archive.read("a.txt") == data)
