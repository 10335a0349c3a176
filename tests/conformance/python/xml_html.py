# xml, html, urls and templates
import html
import string
import textwrap
import urllib.parse
import xml.etree.ElementTree as tree
from html.parser import HTMLParser

root = tree.fromstring("<list><item id='1'>one</item><item>two &amp; more</item></list>")
print([(item.get("id"), item.text) for item in root], tree.tostring(root)[:20])
print(html.escape("<a href='x'>"), html.unescape("&eacute;&#x41;"))
print(urllib.parse.parse_qs("a=1&b=%20x&a=2"), urllib.parse.urljoin("http://a/b/c", "../d"), urllib.parse.quote("é/ü"))
print(string.Template("$who is $what").substitute(who="this", what="fine"))
print(textwrap.fill("one two three four", 9), textwrap.dedent("  a\n   b"))


class Links(HTMLParser):
    def handle_starttag(self, tag, attributes):
        print(tag, attributes)


Links().feed("<p><a href='x'>y</a>")
