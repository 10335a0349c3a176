# reads INI, TOML, XML and key=value settings into one
import configparser
import io
import os
import shlex
import tomllib
import xml.etree.ElementTree as ET
from ast import literal_eval
from collections import ChainMap
from pprint import pprint

INI = """
[DEFAULT]
timeout = 30
[server]
host = localhost
port = 8080
debug = yes
url = http://%(host)s:%(port)s/
names = a,
    b,
    c
[paths]
# comment
home = /home/me ; no comment
"""
TOML = """
title = "Example"
released = 2024-02-29T12:30:00Z
day = 2024-02-29
ratio = 1_000.5
hex = 0xff
inf = -inf
[owner]
name = 'Tom "T" P.'
lines = '''
first
second'''
[[fruit]]
name = "apple"
sizes = [1, 2, 3]
[[fruit]]
name = "pear"
inline = { x = 1, y = [true, false] }
"""
XML = """<?xml version="1.0"?>
<catalog xmlns:x="http://example.com/x"><!-- c --><book id="1" x:lang="en"><title>A &amp; B</title><price>9.5</price></book>
<book id="2"><title>C</title><price currency="EUR">12</price></book></catalog>"""

config = configparser.ConfigParser()
config.read_string(INI)
print(config.sections(), config["server"]["url"], config.getboolean("server", "debug"), config.getint("server", "timeout"))
print([name for name in config["server"]["names"].replace("\n", "").split(",")], config["paths"]["home"], config.get("paths", "none", fallback="-"))
config["new"] = {"Key": "Value"}
out = io.StringIO()
config.write(out)
print(out.getvalue().strip())
for bad in ("[a]\nx=1\nx=2", "x=1", "[a\n"):
    try:
        configparser.ConfigParser().read_string(bad)
    except configparser.Error as error:
        print(type(error).__name__, "|", str(error).replace("\n", " "))
pprint(tomllib.loads(TOML), width=80)
try:
    tomllib.loads("a = 1\nb = [1, 2\nc = 3")
except tomllib.TOMLDecodeError as error:
    print(error)
root = ET.fromstring(XML)
for book in root.iter("book"):
    print(book.attrib, book.findtext("title"), float(book.find("price").text), book.find("price").get("currency", "USD"))
print([b.get("id") for b in root.findall("book[price='12']")], root.find("./book[2]/title").text)
new = ET.SubElement(root, "book", id="3")
ET.SubElement(new, "title").text = "<new>"
ET.indent(root)
print(ET.tostring(root, encoding="unicode"))
try:
    ET.fromstring("<a><b></a>")
except ET.ParseError as error:
    print(error, error.position)
settings = ChainMap({"port": 1}, dict(os.environ.get("NONE", {})), {"port": 2, "host": "h"})
print(dict(settings), settings["port"], settings.parents["port"])
print(shlex.split("run --name 'a b' \"c d\" e\\ f # g", comments=True), shlex.quote("it's"), literal_eval("{'a': (1, 2.5, None)}"))
