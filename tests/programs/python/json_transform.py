# flattens, merges, validates and prints JSON
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, is_dataclass
from enum import Enum

DOCUMENT = r"""
{"user": {"id": 7, "name": "Zo\u00eb \ud83d\ude00", "tags": ["a", "b", {"deep": [1, 2.50, -3e-7]}],
 "active": true, "note": null, "big": 12345678901234567890, "path": "C:\\x\/y\t"}, "empty": [], "none": {}}
"""


def flatten(value, prefix=""):
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from flatten(inner, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for index, inner in enumerate(value):
            yield from flatten(inner, f"{prefix}[{index}]")
    else:
        yield prefix, value


def merge(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return {key: merge(a[key], b[key]) if key in a and key in b else b.get(key, a.get(key)) for key in a | b}
    return b


class Colour(Enum):
    RED = "r"


@dataclass
class Item:
    name: str
    colour: Colour = Colour.RED
    tags: set = field(default_factory=set)


class Encoder(json.JSONEncoder):
    def default(self, value):
        if is_dataclass(value):
            return asdict(value)
        if isinstance(value, Enum):
            return value.name
        if isinstance(value, set):
            return sorted(value)
        return super().default(value)


document = json.loads(DOCUMENT)
for key, value in flatten(document):
    print(f"{key:<24} {value!r}")
print(json.dumps(document, sort_keys=True))
print(json.dumps(document, ensure_ascii=False, indent=2))
print(json.dumps(merge({"a": {"x": 1, "y": [1]}, "b": 1}, {"a": {"y": [2], "z": None}, "c": 2}), separators=(",", ":")))
print(json.dumps([Item("box", tags={"q", "p"}), float("inf"), {1: None, 2.5: True, None: 0, True: 1}], cls=Encoder))
print(json.loads("[1, 2.0, 1e400, -0, NaN]"), json.loads('{"a": 1, "a": 2}', object_pairs_hook=list), json.loads("1.1", parse_float=str))
for bad in ("{'a': 1}", '{"a": 1,}', "[1, 2", '"\\x"', "", "[1] x", '{"a" 1}', '"a\nb"'):
    try:
        json.loads(bad)
    except json.JSONDecodeError as error:
        print(f"{bad!r}: {error} [{error.pos}]")
try:
    json.dumps({"x": object, (1, 2): 3})
except TypeError as error:
    print(error)
with open("d.json", "w") as file:
    json.dump({"n": [1, [2, [3]]]}, file, indent="\t")
print(repr(open("d.json").read()))
