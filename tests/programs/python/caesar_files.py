# encrypts files with simple ciphers, keeps checksums, and verifies them
import hashlib
import itertools
import os
import sys
from pathlib import Path


def xor(data: bytes, key: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(data, itertools.cycle(key)))


class Vault:
    SUFFIX = ".enc"

    def __init__(self, folder, key):
        self.folder, self.key = Path(folder), key
        self.folder.mkdir(parents=True, exist_ok=True)

    def store(self, name, text):
        data = text.encode("utf-8")
        path = self.folder / (name + self.SUFFIX)
        digest = hashlib.sha256(data).digest()
        path.write_bytes(digest[:8] + xor(data, self.key))
        return path

    def load(self, name):
        raw = (self.folder / (name + self.SUFFIX)).read_bytes()
        digest, data = raw[:8], xor(raw[8:], self.key)
        if hashlib.sha256(data).digest()[:8] != digest:
            raise ValueError(f"{name}: wrong key or damaged file")
        return data.decode("utf-8")

    def __iter__(self):
        yield from sorted(path.name.removesuffix(self.SUFFIX) for path in self.folder.glob(f"*{self.SUFFIX}"))

    def __len__(self):
        return sum(1 for _ in self)


vault = Vault("vault/private", b"s3cr3t")
for name, text in {"note": "Hello, Wörld!", "list": "a\nb\nc", "empty": ""}.items():
    path = vault.store(name, text)
    print(path, path.stat().st_size, path.read_bytes()[8:].hex())
print(list(vault), len(vault), repr(vault.load("note")))
for key, name in ((b"wrong", "note"), (b"s3cr3t", "missing")):
    try:
        print(Vault("vault/private", key).load(name))
    except ValueError as error:
        print("ValueError:", error)
    except FileNotFoundError as error:
        print("not found:", os.path.basename(error.filename))
data = bytearray((vault.folder / "list.enc").read_bytes())
data[-1] ^= 0x01
(vault.folder / "list.enc").write_bytes(data)
try:
    vault.load("list")
except ValueError as error:
    print(error)
words = "the quick brown fox".split()
key = 7
table = {chr(97 + i): chr(97 + (i + key) % 26) for i in range(26)}
secret = " ".join("".join(table[c] for c in word) for word in words)
print(secret)
for guess in range(26):
    text = "".join(chr((ord(c) - 97 - guess) % 26 + 97) if c.isalpha() else c for c in secret)
    if "the" in text.split():
        print("key", guess, text)
playfair = []
for c in "monarchyabcdefghiklmnopqrstuvwxyz".replace("j", "i"):
    if c not in playfair:
        playfair.append(c)
for row in range(5):
    print(" ".join(playfair[row * 5 : row * 5 + 5]).upper())
print(sys.byteorder, xor(xor(b"abc", b"k"), b"k"), bytes.fromhex("68 69").decode(), "é".encode().hex(":"), int.from_bytes(b"\x01\x02", "big"))
