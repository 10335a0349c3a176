"""Memory image: which state do all instances start from?

The one that `finish` leaves: the modules that programs use most are imported, the guest's own paths have run, and nothing tells where it was
built. Whatever is done here costs a run nothing.
"""

from glovebox_guest.own import __builtins__

# First, because other modules take numbers of errors while they are imported.
from glovebox_guest import errors

import gc
import importlib
import linecache
import re
import sys
import zoneinfo

from glovebox_guest import later, tls

PRELOADED = """
    abc argparse array ast asyncio base64 bisect calendar codecs collections.abc colorsys concurrent.futures configparser contextlib
    contextvars copy csv dataclasses datetime decimal difflib email.message email.parser email.policy encodings.ascii encodings.idna
    encodings.latin_1 encodings.utf_8_sig enum errno fnmatch fractions functools getpass glob graphlib gzip hashlib heapq hmac html
    http.client http.cookiejar inspect io ipaddress itertools json keyword linecache locale logging math mimetypes numbers operator
    os pathlib pickle platform pprint queue quopri random re reprlib secrets select selectors shlex shutil signal socket statistics
    stat string string.templatelib struct subprocess tempfile textwrap threading time timeit token tokenize traceback types typing
    unicodedata unittest.mock urllib.error urllib.parse urllib.request uuid warnings weakref zipfile zlib zoneinfo _strptime
    _sitebuiltins
"""
"""What everyday scripts import, and what those modules import when they are first used."""

# First, because other modules look for it once, while they are imported.
tls.install()
later.promise()
for _name in PRELOADED.split():
    importlib.import_module(_name)
later.forget()

import glovebox  # noqa: E402
from glovebox_guest import (  # noqa: E402
    account, bounded_queue, clocks, compaction, descriptors, finalizing, http_hooks, key_derivation, leaving, locales, loop, missing, names,
    relocation, results, strftime, suspension, threads, warm, world,
)


def finish(app):
    """Ends the work on the image; `app` is the name of the module that the builder wraps."""
    http_hooks.install()
    loop.install()
    key_derivation.install()
    threads.install()
    bounded_queue.install()
    leaving.install()
    account.install()
    strftime.install()
    descriptors.install()
    clocks.install()
    missing.install()
    results.install()
    errors.install()
    names.install()
    locales.install()
    # The C library knows no zones, but the library mounted at run time has their files.
    zoneinfo.reset_tzpath([f"{world.LIBRARY}/tzdata/zoneinfo"])
    world.environ.clear()
    sys.modules["__main__"] = world.main
    relocation.relocate(app)
    suspension.prepare()
    bounded_queue.prepare()
    warm.up()
    _forget()


def _forget():
    """Drops what was only of use while the image was made."""
    for cached in (linecache.cache, sys.path_importer_cache, re._cache, re._cache2):
        cached.clear()
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)
    gc.collect()
    finalizing.freeze()
    compaction.compact()
