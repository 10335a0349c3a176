# scrapes links, a table and text out of a page with html.parser
import html
import re
from html.parser import HTMLParser
from urllib.parse import parse_qs, urljoin, urlsplit

PAGE = """<!DOCTYPE html>
<html><head><title>Books &amp; more</title><meta charset="utf-8">
<script>if (a < b && c > d) { document.write("<a href='/no'>no</a>"); }</script></head>
<body><h1>Our <em>best</em> books</h1>
<!-- a comment with <a href="/hidden">link</a> -->
<p class="intro lead" id=first>Caf&eacute; reading since 1999&hellip;<br/>Open daily.</p>
<table id="books"><tr><th>Title</th><th>Price</th></tr>
<tr><td>Dune</td><td>&pound;9.99</td></tr><tr><td>It's &lt;Complicated&gt;</td><td>&#8364;12</td></tr>
<tr><td>Half<td>&euro;3</table>
<a href="/catalogue?page=2&amp;sort=price&amp;tag=a&amp;tag=b">Next</a>
<a href='../about.html#team' title="About us">About</a>
<a href=https://other.example.org/x>Other</a><a name="end"></a><img src="a.png" alt="A" disabled>
</body></html>"""


class Scraper(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.links, self.rows, self.text, self.stack, self.title = [], [], [], [], ""
        self.counts = {}

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.stack.append(tag)
        if tag == "a" and "href" in attrs:
            self.links.append((attrs["href"], attrs.get("title")))
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "p":
            print("paragraph", attrs)
        elif tag == "img":
            print("image", attrs)

    def handle_startendtag(self, tag, attrs):
        print("empty", tag, attrs)

    def handle_endtag(self, tag):
        while self.stack and self.stack.pop() != tag:
            pass

    def handle_data(self, data):
        where = self.stack[-1] if self.stack else ""
        if where == "title":
            self.title += data
        elif where in ("td", "th"):
            self.rows[-1][-1] += data.strip()
        elif where != "script" and data.strip():
            self.text.append(" ".join(data.split()))

    def handle_comment(self, data):
        print("comment", repr(data))

    def handle_decl(self, decl):
        print("declaration", decl)


scraper = Scraper()
scraper.feed(PAGE)
scraper.close()
print(scraper.title, scraper.counts)
for row in scraper.rows:
    print(row)
print(scraper.text)
for link, title in scraper.links:
    absolute = urljoin("https://books.example.com/shop/index.html", link)
    parts = urlsplit(absolute)
    print(absolute, parts.netloc, parts.path, parse_qs(parts.query), parts.fragment, title)
print(html.escape("<a href=\"x\">'q' & b</a>"), html.unescape("&lt;&copy;&#x41;&nosuch;&amp"))
print(re.sub(r"<[^>]+>", "", "<b>bold</b> and <i>it</i>"))
