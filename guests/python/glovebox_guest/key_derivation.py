"""Key derivation: what is `hashlib.pbkdf2_hmac` without OpenSSL?

The same function (RFC 8018, 5.2) in Python over the built-in HMAC; slower than OpenSSL's by an order of magnitude, but there.
"""

from glovebox_guest.own import __builtins__

import hashlib
import hmac

digest = hmac.digest


def pbkdf2_hmac(hash_name, password, salt, iterations, dklen=None):
    """A key of `dklen` bytes from a password. Raises `ValueError` and `TypeError` as OpenSSL's does."""
    if not isinstance(hash_name, str):
        raise TypeError(f"pbkdf2_hmac() argument 'hash_name' must be str, not {type(hash_name).__name__}")
    password, salt = bytes(memoryview(password)), bytes(memoryview(salt))
    size = hashlib.new(hash_name).digest_size
    if iterations < 1:
        raise ValueError("iteration value must be greater than 0.")
    if dklen is None:
        dklen = size
    if dklen < 1:
        raise ValueError("key length must be greater than 0.")
    key = b""
    block = 0
    while len(key) < dklen:
        block += 1
        part = digest(password, salt + block.to_bytes(4, "big"), hash_name)
        mixed = int.from_bytes(part, "big")
        for _ in range(iterations - 1):
            part = digest(password, part, hash_name)
            mixed ^= int.from_bytes(part, "big")
        key += mixed.to_bytes(size, "big")
    return key[:dklen]


def install():
    """Adds it to `hashlib`, where it is missing."""
    if not hasattr(hashlib, "pbkdf2_hmac"):
        pbkdf2_hmac.__module__ = "hashlib"
        hashlib.pbkdf2_hmac = pbkdf2_hmac
