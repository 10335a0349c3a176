"""Results that can be looked at: in which formats does a program show an object?

As in Jupyter: an object has methods such as `_repr_html_`, `display` shows what it is given, a last expression that has more forms than
text is shown too, and so are the charts of matplotlib that a program shows or leaves open. `outlet.send` passes a result on.
"""

from glovebox_guest.own import __builtins__

import base64
import builtins
import importlib.machinery
import io
import json
import re
import sys
import types

from glovebox_guest import outlet, world
from glovebox_guest.value import plain

METHODS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "text/latex": "_repr_latex_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
    "image/jpeg": "_repr_jpeg_",
    "application/json": "_repr_json_",
    "application/javascript": "_repr_javascript_",
    "application/pdf": "_repr_pdf_",
}
TABLE = "application/vnd.dataresource+json"
"""Rows with the types of their columns (Frictionless Data), which Jupyter has for data frames."""
MOST_ROWS = 1000
"""Rows of a table; the program has the rest."""
CHARTS = "matplotlib.backends.backend_agg"
WITHOUT_FORMS = frozenset((bool, bytes, complex, dict, float, frozenset, int, list, range, set, str, tuple, types.FunctionType, types.ModuleType))

is_media_type = re.compile(r"[A-Za-z0-9][\w!#$&^.+-]*/[A-Za-z0-9][\w!#$&^.+-]*", re.ASCII).fullmatch
TEXTS = frozenset(("application/javascript", "application/xml", "application/x-latex"))
encode = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
find_spec = importlib.machinery.PathFinder.find_spec
modules = sys.modules


def display(*objects, raw=False, include=None, exclude=None, **_):
    """Shows objects, each in all the formats that it has.

    With `raw`, an object is a dictionary from MIME types to content. `include` and `exclude` choose among the formats.
    """
    for thing in objects:
        data = dict(thing) if raw else formats(thing, include, exclude)
        if include is not None:
            data = {kind: content for kind, content in data.items() if kind in include}
        if exclude is not None:
            data = {kind: content for kind, content in data.items() if kind not in exclude}
        if data:
            _send("display", data)


def show_value(value):
    """Shows the value of a last expression, if it has more forms than text."""
    if type(value) in WITHOUT_FORMS:
        return
    data = formats(value)
    if len(data) > 1:
        _send("value", data)


def show_charts():
    """Shows the charts that are open, and closes them, as a notebook does after each cell."""
    pyplot = modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for number in pyplot.get_fignums():
        display(pyplot.figure(number))
    pyplot.close("all")


def formats(thing, include=None, exclude=None):
    """The forms of an object by their MIME types, text among them."""
    data = {"text/plain": _text(thing)}
    kind = type(thing)
    if kind in WITHOUT_FORMS or isinstance(thing, type):
        return data
    bundle = getattr(kind, "_repr_mimebundle_", None)
    if bundle is not None:
        made = _called(bundle, thing, include=include, exclude=exclude)
        if type(made) is tuple and made:
            made = made[0]
        if isinstance(made, dict):
            data.update(made)
    for media_type, name in METHODS.items():
        method = getattr(kind, name, None)
        if method is not None and media_type not in data:
            made = _called(method, thing)
            if type(made) is tuple and made:
                # With metadata.
                made = made[0]
            if made is not None:
                data[media_type] = made
    _add_known(data, thing, kind)
    return data


def _add_known(data, thing, kind):
    """Adds the forms of objects whose library has no method for them."""
    figure = modules.get("matplotlib.figure")
    if figure is not None and isinstance(thing, figure.Figure) and "image/png" not in data:
        picture = io.BytesIO()
        _called(kind.savefig, thing, picture, format="png", bbox_inches="tight")
        if picture.tell():
            data["image/png"] = picture.getvalue()
    pandas = modules.get("pandas")
    if pandas is not None and isinstance(thing, getattr(pandas, "DataFrame", ())):
        table = _called(lambda: json.loads(thing.head(MOST_ROWS).to_json(orient="table")))
        if table is not None:
            data[TABLE] = table


def _called(method, *arguments, **named):
    """What a method gives. One that fails is reported, as in a notebook, and shows nothing."""
    try:
        return method(*arguments, **named)
    except NotImplementedError:
        return None
    except Exception as error:
        name = getattr(method, "__qualname__", "a form")
        world.standard.complain(plain(f"{name} failed: {type(error).__name__}: {error}\n"))
        return None


def _text(thing):
    try:
        return plain(repr(thing))
    except Exception as error:
        return plain(f"<{type(thing).__name__} object whose repr() raised {type(error).__name__}>")


def _content(media_type, content):
    """As JSON has it, and its size: bytes become base64."""
    if not is_media_type(media_type):
        raise ValueError(f"`{media_type[:100]}` is no MIME type")
    if media_type == "application/json" or media_type.endswith("+json"):
        content = encode(content)
        return content, len(content)
    if media_type.startswith("text/") or media_type.endswith("+xml") or media_type in TEXTS:
        if not isinstance(content, str):
            raise TypeError(f"the content of `{media_type}` must be str, not {type(content).__name__}")
        content = plain(content, len(content))
        return encode(content), len(content.encode())
    if isinstance(content, str):
        # Base64 already, such as that of a file.
        content = base64.b64decode("".join(content.split()), validate=True)
    size = len(memoryview(content).cast("B"))
    return encode(base64.b64encode(content).decode("ascii")), size


def _send(origin, data):
    try:
        parts, size = [], 0
        for media_type, content in data.items():
            if content is not None:
                media_type = str(media_type)
                text, length = _content(media_type, content)
                parts.append(f"{encode(media_type)}:{text}")
                size += len(media_type) + length
        if not parts:
            return
        problem = outlet.send(f'{{"origin":"{origin}","data":{{{",".join(parts)}}}}}', size)
    except Exception as error:
        problem = f"{type(error).__name__}: {error}"
    if problem:
        world.standard.complain(plain(f"a result is not shown: {problem}\n"))


class Shown:
    """An object of `IPython.display`: content of one MIME type."""

    media_type = "text/plain"

    def __init__(self, data=None, url=None, filename=None, **_):
        if filename is not None:
            with open(filename, "rb") as file:
                data = file.read()
            if type(self).media_type.startswith("text/"):
                data = data.decode()
        if data is None and url is not None:
            raise ValueError("content by URL is not fetched; pass the content itself")
        self.data = data

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {self.media_type: self.data}

    def __repr__(self):
        return f"<IPython.core.display.{type(self).__name__} object>"


class Image(Shown):
    """A picture, from bytes or from a file."""

    def __init__(self, data=None, url=None, filename=None, format=None, **_):
        if isinstance(data, str) and filename is None:
            data, filename = None, data
        super().__init__(data, url, filename)
        is_jpeg = bytes(self.data or b"")[:2] == b"\xff\xd8"
        self.media_type = f"image/{format}" if format else "image/jpeg" if is_jpeg else "image/png"


class JSON(Shown):
    """A value that JSON can say."""

    media_type = "application/json"


def _stand_in():
    """The modules `IPython` and `IPython.display`, as far as programs need them to show results."""
    package, display_module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    kinds = {"HTML": "text/html", "Markdown": "text/markdown", "Latex": "text/latex", "SVG": "image/svg+xml", "Javascript": "application/javascript"}
    for name, media_type in kinds.items():
        vars(display_module)[name] = type(name, (Shown,), {"media_type": media_type})
    vars(display_module).update(display=display, Image=Image, JSON=JSON, clear_output=lambda wait=False: None)
    package.__path__ = []
    package.display = display_module
    package.get_ipython = lambda: None
    return {"IPython": package, "IPython.display": display_module}


class Finder:
    """Finds what shows results: the stand-in for IPython where no package brings it, and matplotlib's charts without a screen, whose
    `show` does nothing by itself."""

    made = {}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        """The specification of a module, or `None` for any other."""
        if name == CHARTS:
            found = find_spec(name, path, target)
            if found is not None and found.loader is not None:
                found.loader = ChartLoader(found.loader)
            return found
        if name in ("IPython", "IPython.display") and (name in cls.made or find_spec(name, path) is None):
            cls.made = cls.made or _stand_in()
            return importlib.machinery.ModuleSpec(name, cls, is_package=name == "IPython")
        return None

    @classmethod
    def create_module(cls, spec):
        """The module of a specification."""
        return cls.made[spec.name]

    @staticmethod
    def exec_module(module):
        """It is complete."""


class ChartLoader:
    """Loads a module as its own loader does, and gives it a `show`."""

    def __init__(self, loader):
        self.loader = loader

    def __getattr__(self, name):
        return getattr(self.loader, name)

    def exec_module(self, module):
        """Runs the module."""
        self.loader.exec_module(module)
        module.show = lambda *_, **__: show_charts()


def install():
    """Puts `display` and the finder where programs look."""
    display.__module__ = "builtins"
    builtins.display = display
    sys.meta_path.insert(0, Finder)
