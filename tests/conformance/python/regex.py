# regular expressions
import re

text = "On 2024-02-29 Ada wrote 3 lines; on 2023-12-01 Alan wrote 12."
print(re.findall(r"(\d{4})-(\d\d)-(\d\d)", text))
print(re.sub(r"(?P<name>Ada|Alan)", lambda match: match["name"].upper(), text))
print(re.split(r"[;,.]\s*", text))
print(bool(re.fullmatch(r"(?i)straße", "STRAßE")), re.search(r"\bwrote (\d+)", text).span(1))
print(re.compile(r"""
    (?P<user>[\w.]+) @ (?P<host>[\w.]+)   # an address
""", re.X).match("a.b@c.de").groupdict())
