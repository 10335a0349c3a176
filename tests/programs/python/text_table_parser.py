# parses logs and key=value lines into tables, pivots them, and writes fixed columns
import re
from collections import defaultdict
from io import StringIO

LOG = """\
2025-05-01T10:00:00Z level=info service=api msg="user logged in" user=ann ms=12
2025-05-01T10:00:01Z level=warn service=db msg="slow \\"query\\"" ms=1503.25
2025-05-01T10:00:02Z level=error service=api msg="cannot open 'x'" code=500 ms=7
garbage line without structure
2025-05-01T10:00:05Z level=info service=db msg=ok ms=3
2025-05-01T10:01:00Z level=error service=api msg="again" code=503 ms=9
"""
PAIR = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S+))')
STAMP = re.compile(r"^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z\s+")


def convert(text):
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def parse(lines):
    for number, line in enumerate(lines, 1):
        match = STAMP.match(line)
        if not match:
            yield {"line": number, "error": line.strip()}
            continue
        year, month, day, hour, minute, second = map(int, match.groups())
        record = {"line": number, "time": f"{hour:02}:{minute:02}"}
        for key, quoted, plain in PAIR.findall(line, match.end()):
            record[key] = convert(plain) if plain else re.sub(r"\\(.)", r"\1", quoted)
        yield record


def render(rows, columns):
    widths = {c: max(len(c), *(len(str(row.get(c, ""))) for row in rows)) for c in columns}
    out = StringIO()
    print("  ".join(f"{c.upper():<{widths[c]}}" for c in columns).rstrip(), file=out)
    for row in rows:
        cells = (f"{row.get(c, ''):>{widths[c]}}" if isinstance(row.get(c), (int, float)) else f"{row.get(c, '')!s:<{widths[c]}}" for c in columns)
        print("  ".join(cells).rstrip(), file=out)
    return out.getvalue()


def pivot(rows, by, across, value, how=sum):
    table = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if {by, across, value} <= row.keys():
            table[row[by]][row[across]].append(row[value])
    names = sorted({name for cells in table.values() for name in cells})
    return [{by: key, **{name: how(cells[name]) if name in cells else "-" for name in names}} for key, cells in sorted(table.items())]


records = list(parse(LOG.splitlines()))
print(render(records, ["line", "time", "level", "service", "msg", "ms", "code"]), end="")
print(render([r for r in records if "error" in r], ["line", "error"]), end="")
for how in (sum, max, len):
    rows = pivot(records, "level", "service", "ms", how)
    print(how.__name__)
    print(render(rows, list(rows[0])), end="")
print(records[1])
verbose = re.compile(r"""
    (?P<scheme>https?)://            # scheme
    (?:(?P<user>[^:@/]+)(?::(?P<password>[^@/]*))?@)?
    (?P<host>[^:/?\#]+)(?::(?P<port>\d+))?
    (?P<path>/[^?\#]*)?(?:\?(?P<query>[^\#]*))?(?:\#(?P<fragment>.*))?""", re.X)
for url in ("https://ann:s3cret@example.com:8443/a/b?x=1#top", "http://localhost", "ftp://no"):
    match = verbose.fullmatch(url)
    print(match and {key: value for key, value in match.groupdict().items() if value})
print(re.sub(r"(?<=\d)(?=(\d{3})+\b)", ",", "1234567 and 12"), re.findall(r"\b\w+(?=ing\b)", "testing running ing sing"), re.split(r"(?<=[.!?])\s+", "One. Two! Three? Four"))
print(re.fullmatch(r"(?:(\d+)|(\w+))(?(1)px|em)", "12px"), re.sub("(?P<a>x)(y)?", r"[\g<a>\2]", "xyx"), re.escape("a.b*c"), re.match("(a+)+$", "aaaa").span(1), re.sub(r"\s+", " ", " a \n b\t", flags=re.A).strip())
print([m.start() for m in re.finditer("aa", "aaaa")], re.search("É", "é", re.I), re.findall("^.", "ab\ncd", re.M), re.search("a.b", "a\nb", re.S).group(), re.match(r"\w+", "été_1").group(), re.findall(r"[^\W\d_]+", "a1b_ç"))
