# checks passwords, makes tokens, hashes with salt, simple ciphers
import base64
import binascii
import hashlib
import hmac
import math
import re
import secrets
import string
import uuid
from collections import Counter


def strength(password):
    rules = {
        "length": len(password) >= 10,
        "upper": any(map(str.isupper, password)),
        "lower": bool(re.search("[a-z]", password)),
        "digit": bool(re.search(r"\d", password)),
        "symbol": any(c in string.punctuation for c in password),
    }
    failed = [name for name, passed in rules.items() if not passed]
    counts = Counter(password)
    entropy = -sum(n / len(password) * math.log2(n / len(password)) for n in counts.values())
    return 5 - len(failed), failed, entropy


for password in ("password", "P4ssw0rd!", "correct horse battery", "Tr0ub4dor&3xyz", "aaaa"):
    score, failed, entropy = strength(password)
    print(f"{password:<24} {'★' * score}{'☆' * (5 - score)} {entropy:.4f} {failed}")

salt = bytes.fromhex("00112233445566778899aabbccddeeff")
key = hashlib.pbkdf2_hmac("sha256", b"secret", salt, 1000)
print(key.hex())
print(hmac.new(b"key", b"message", hashlib.sha512).hexdigest()[:40], hmac.compare_digest("abc", "abc"))
token = secrets.token_urlsafe(24)
print(len(token), len(secrets.token_hex(8)), all(c in string.ascii_letters + string.digits + "-_" for c in token))
print(secrets.choice([5]), 0 <= secrets.randbelow(10) < 10, uuid.uuid4().version)
print(uuid.uuid5(uuid.NAMESPACE_DNS, "python.org"), uuid.uuid3(uuid.NAMESPACE_URL, "http://x"), uuid.UUID(int=5), repr(uuid.UUID("12345678123456781234567812345678")))


def caesar(text, shift):
    return "".join(
        chr((ord(c) - base + shift) % 26 + base) if c.isalpha() and c.isascii() else c
        for c in text
        for base in [ord("A") if c.isupper() else ord("a")]
    )


def vigenere(text, key, sign=1):
    return "".join(chr((ord(c) - 65 + sign * (ord(key[i % len(key)]) - 65)) % 26 + 65) for i, c in enumerate(text))


secret = caesar("Hello, World! Ünï", 3)
print(secret, caesar(secret, -3), vigenere("ATTACKATDAWN", "LEMON"), vigenere("LXFOPVEFRNHR", "LEMON", -1))
data = "naïve café ☕".encode()
for encode, decode in ((base64.b64encode, base64.b64decode), (base64.urlsafe_b64encode, base64.urlsafe_b64decode), (base64.b32encode, base64.b32decode), (base64.b85encode, base64.b85decode), (base64.b16encode, base64.b16decode), (binascii.hexlify, binascii.unhexlify)):
    encoded = encode(data)
    print(encode.__name__, encoded.decode(), decode(encoded) == data)
for bad in (lambda: base64.b64decode("abc"), lambda: bytes.fromhex("0g"), lambda: binascii.unhexlify("abc"), lambda: "é".encode("ascii"), lambda: b"\xff".decode(), lambda: hashlib.new("nothing")):
    try:
        bad()
    except ValueError as error:
        print(type(error).__name__, error)
print("é".encode("ascii", "xmlcharrefreplace"), b"a\xffb".decode("utf-8", "replace"), "ß".upper(), "İ".lower().encode(), "ǅ".title(), "Straße".casefold())
