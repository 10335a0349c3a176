# converts a little Markdown to HTML and a table to text
import html
import re

SOURCE = """\
# Title with `code` & more

A *paragraph* with **bold** text,
a [link](https://example.com/?a=1&b=2) and ![image](pic.png "A picture").

## List

- first item
- second **item**
  - nested
1. one
2. two

> quoted
> text

```python
if a < b:
    print("hi")
```

| Name  | Qty | Price |
|:------|:---:|------:|
| Apple | 3   | 1.20  |
| Kiwi  | 12  | 0.5   |

---
The end.
"""
INLINE = [
    (re.compile(r"!\[(?P<alt>[^\]]*)\]\((?P<src>\S+?)(?:\s+&quot;(?P<title>.*?)&quot;)?\)"), r'<img src="\g<src>" alt="\g<alt>">'),
    (re.compile(r"\[([^\]]+)\]\(([^)]+)\)"), r'<a href="\2">\1</a>'),
    (re.compile(r"`([^`]+)`"), r"<code>\1</code>"),
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"(?<!\*)\*(?!\s)(.+?)\*"), lambda match: f"<em>{match[1]}</em>"),
]


def inline(text):
    text = html.escape(text)
    for pattern, replacement in INLINE:
        text = pattern.sub(replacement, text)
    return text


def table(rows):
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    head, marks, *body = cells
    align = ["center" if m.startswith(":") and m.endswith(":") else "right" if m.endswith(":") else "left" for m in marks]
    yield "<table>"
    for tag, row in [("th", head), *(("td", row) for row in body)]:
        yield "<tr>" + "".join(f'<{tag} align="{a}">{inline(c)}</{tag}>' for a, c in zip(align, row)) + "</tr>"
    yield "</table>"


def convert(source):
    lines = iter(re.split(r"\n{2,}(?![^\n]*\n```)", source.strip()))
    fence = None
    for block in lines:
        rows = block.splitlines()
        if match := re.match(r"(#{1,6})\s+(.*)", block):
            slug = re.sub(r"[\W_]+", "-", match[2].lower()).strip("-")
            yield f'<h{len(match[1])} id="{slug}">{inline(match[2])}</h{len(match[1])}>'
        elif rows[0].startswith("```"):
            yield f'<pre class="{rows[0][3:]}">{html.escape(chr(10).join(rows[1:-1]))}</pre>'
        elif rows[0].startswith("|"):
            yield from table(rows)
        elif rows[0].startswith(">"):
            yield "<blockquote>" + inline(" ".join(row.lstrip("> ") for row in rows)) + "</blockquote>"
        elif re.match(r"\s*([-*]|\d+\.)\s", rows[0]):
            for row in rows:
                indent, mark, text = re.match(r"(\s*)([-*]|\d+\.)\s+(.*)", row).groups()
                yield f"{indent}<li class={'ol' if mark[0].isdigit() else 'ul'}>{inline(text)}</li>"
        elif rows[0] == "---":
            yield "<hr>"
            yield f"<p>{inline(' '.join(rows[1:]))}</p>"
        else:
            yield f"<p>{inline(' '.join(rows))}</p>"


result = list(convert(SOURCE))
print("\n".join(result))
print(len(result), re.findall(r"<(\w+)", result[0]), re.compile(r"(?i)(a)(?P<n>b)?"), re.split(r"([,;])\s*", "a, b;c"))
print(re.subn(r"\d+", lambda m: str(int(m[0]) * 2), "1 22 333"), re.match(r"(\w)(?:x)?(\d)?", "a").groups("none"))
try:
    re.compile(r"(unclosed [")
except re.error as error:
    print(type(error).__name__, error, error.pos)
