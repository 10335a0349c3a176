# a URL shortener with base 62, expiry, statistics and an in-memory store
import hashlib
import string
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import ParseResult, parse_qs, quote, urlencode, urljoin, urlparse, urlsplit, urlunparse

ALPHABET = string.digits + string.ascii_lowercase + string.ascii_uppercase


def encode(n):
    out = ""
    while True:
        n, digit = divmod(n, 62)
        out = ALPHABET[digit] + out
        if not n:
            return out


def decode(text):
    n = 0
    for char in text:
        n = n * 62 + ALPHABET.index(char)
    return n


@dataclass
class Link:
    url: str
    code: str
    expires: datetime | None = None
    clicks: Counter = field(default_factory=Counter)


class Shortener:
    def __init__(self, clock):
        self.links, self.clock = {}, clock

    @staticmethod
    def normal(url):
        parts = urlparse(url if "://" in url else "https://" + url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "." not in parts.hostname:
            raise ValueError(f"not a web address: {url!r}")
        query = urlencode(sorted((k, v) for k, values in parse_qs(parts.query).items() if not k.startswith("utm_") for v in values))
        port = f":{parts.port}" if parts.port and parts.port not in (80, 443) else ""
        return urlunparse(ParseResult(parts.scheme, parts.hostname + port, parts.path or "/", "", query, ""))

    def shorten(self, url, days=None):
        url = self.normal(url)
        number = int(hashlib.sha256(url.encode()).hexdigest()[:9], 16)
        code = encode(number)
        while code in self.links and self.links[code].url != url:
            number += 1
            code = encode(number)
        self.links.setdefault(code, Link(url, code, self.clock() + timedelta(days=days) if days else None))
        return code

    def resolve(self, code, agent):
        link = self.links.get(code)
        if link is None:
            raise LookupError(f"no link {code}")
        if link.expires and link.expires < self.clock():
            raise TimeoutError(f"{code} expired on {link.expires:%d %b %Y}")
        link.clicks[agent] += 1
        return link.url


now = [datetime(2025, 1, 1)]
service = Shortener(lambda: now[0])
codes = []
for url in ["Example.com", "https://EXAMPLE.com:443/?utm_source=x&b=2&a=1#top", "http://example.com:8080/a b?q=ü", "ftp://example.com", "https://localhost/", "javascript:alert(1)", "https://example.com/?a=1&b=2", "http://[::1]:80/"]:
    try:
        code = service.shorten(url, days=1 if "8080" in url else None)
        codes.append(code)
        print(f"{url:<55} {code} {decode(code)} {service.links[code].url}")
    except ValueError as error:
        print(f"{url:<55} {type(error).__name__}: {error}")
now[0] += timedelta(days=2)
for code in [*codes, codes[0], "zzz"]:
    try:
        print(code, "->", service.resolve(code, "curl" if code == codes[0] else "firefox"))
    except (LookupError, TimeoutError) as error:
        print(code, type(error).__name__, error)
for link in sorted(service.links.values(), key=lambda link: (-link.clicks.total(), link.code)):
    print(link)
parts = urlsplit("https://user:p%40ss@host.example:8443/a;b/c?x=1&y=&z#frag")
print(parts, parts.username, parts.password, parts.port, parts.geturl(), parse_qs(parts.query, keep_blank_values=True))
print(urljoin("http://a/b/c/d;p?q", "../../g?y#s"), urljoin("http://a/b/", "//c/d"), quote("/a b/é&=?", safe="/&"), urlencode({"q": "a b", "l": [1, 2]}, doseq=True))
