# compression: Huffman codes, LZW, run lengths, against zlib
import heapq
import zlib
from collections import Counter
from itertools import count

TEXT = "she sells sea shells by the sea shore; the shells she sells are sea shells for sure. " * 4


def huffman(text):
    ticket = count()
    heap = [(n, next(ticket), char) for char, n in sorted(Counter(text).items())]
    heapq.heapify(heap)
    while len(heap) > 1:
        a, b = heapq.heappop(heap), heapq.heappop(heap)
        heapq.heappush(heap, (a[0] + b[0], next(ticket), (a[2], b[2])))
    codes = {}

    def walk(node, prefix):
        if isinstance(node, str):
            codes[node] = prefix or "0"
        else:
            walk(node[0], prefix + "0")
            walk(node[1], prefix + "1")

    walk(heap[0][2], "")
    return codes


def decode(bits, codes):
    reverse, out, word = {code: char for char, code in codes.items()}, [], ""
    for bit in bits:
        word += bit
        if word in reverse:
            out.append(reverse[word])
            word = ""
    return "".join(out)


def lzw(data: bytes):
    table = {bytes([n]): n for n in range(256)}
    word, out = b"", []
    for byte in data:
        longer = word + bytes([byte])
        if longer in table:
            word = longer
        else:
            out.append(table[word])
            table[longer] = len(table)
            word = bytes([byte])
    return out + [table[word]] if word else out


def unlzw(codes):
    table = {n: bytes([n]) for n in range(256)}
    codes = iter(codes)
    word = table[next(codes)]
    out = bytearray(word)
    for code in codes:
        entry = table[code] if code in table else word + word[:1]
        out += entry
        table[len(table)] = word + entry[:1]
        word = entry
    return bytes(out)


codes = huffman(TEXT)
bits = "".join(codes[char] for char in TEXT)
for char, code in sorted(codes.items(), key=lambda item: (len(item[1]), item[1])):
    print(f"{char!r:>5} {TEXT.count(char):>4} {code}")
print(len(TEXT) * 8, len(bits), f"{len(bits) / (len(TEXT) * 8):.1%}", decode(bits, codes) == TEXT)
packed = int(bits, 2).to_bytes((len(bits) + 7) // 8, "big")
print(packed[:12].hex(" "), hash(packed) == hash(bytes(packed)))
data = TEXT.encode()
output = lzw(data)
print(len(output), max(output), output[:20], unlzw(output) == data)
for level in (0, 1, 6, 9):
    compressed = zlib.compress(data, level)
    print(level, len(compressed) < len(data) + 20, zlib.decompress(compressed) == data)
print(f"{zlib.crc32(data):08x} {zlib.adler32(data):08x}")


def hamming(nibble):
    d = [nibble >> i & 1 for i in (3, 2, 1, 0)]
    p = [d[0] ^ d[1] ^ d[3], d[0] ^ d[2] ^ d[3], d[1] ^ d[2] ^ d[3]]
    return p[0], p[1], d[0], p[2], d[1], d[2], d[3]


print(["".join(map(str, hamming(n))) for n in (0, 5, 11, 15)])
array = bytearray(b"abc")
array[1:2] = b"XYZ"
array.extend(range(3))
view = memoryview(array)
print(array, view[1:3].tobytes(), view.nbytes, bytes(reversed(b"abc")), b"a,b".split(b","), b"abc".find(b"c"), b"%d-%s" % (5, b"x"))
