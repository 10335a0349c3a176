# hashes, secrets and random numbers
import base64
import hashlib
import hmac
import random
import secrets
import uuid

print(hashlib.sha256(b"x").hexdigest()[:16], hashlib.md5(b"x").hexdigest(), hashlib.blake2b(b"x", digest_size=4).hexdigest(), hashlib.sha3_256(b"x").hexdigest()[:8])
print(hmac.new(b"k", b"m", "sha1").hexdigest(), base64.b64encode(b"\x00\xff"), base64.urlsafe_b64decode("-_8="))
random.seed(7)
print([random.randrange(100) for _ in range(5)], round(random.gauss(0, 1), 6))
print(len(secrets.token_hex(8)), secrets.token_bytes(4) != secrets.token_bytes(4), uuid.uuid4().version, uuid.uuid5(uuid.NAMESPACE_DNS, "example.org"))
