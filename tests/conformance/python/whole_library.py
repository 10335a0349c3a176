# the standard library can be imported
import importlib

for name in """abc argparse ast asyncio base64 bisect calendar cmath codecs collections colorsys concurrent.futures configparser contextlib contextvars copy csv
dataclasses datetime decimal difflib dis doctest email.message enum errno filecmp fileinput fnmatch fractions functools gc getopt glob graphlib gzip hashlib heapq hmac
html http.client http.cookies imaplib inspect io ipaddress itertools json keyword linecache locale logging.handlers marshal math mimetypes numbers operator optparse os pathlib
pickle pickletools pkgutil platform plistlib poplib pprint profile pstats queue quopri random re reprlib sched secrets select selectors shelve shlex shutil signal site smtplib socket
socketserver sqlite3 stat statistics string stringprep struct symtable sysconfig tabnanny tarfile tempfile textwrap threading time timeit token tokenize tomllib trace traceback
tracemalloc types typing unicodedata unittest.mock urllib.request uuid warnings wave weakref xml.dom.minidom xml.sax xmlrpc.client zipapp zipfile zipimport zlib zoneinfo""".split():
    try:
        importlib.import_module(name)
    except Exception as error:
        print(name, type(error).__name__, error)
print("all")
