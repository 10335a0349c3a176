# validates data against a small schema and reports paths; makes classes from it
import json
import re
from collections.abc import Iterator
from dataclasses import make_dataclass
from types import NoneType
from typing import Annotated, Any, Literal, TypedDict, Union, get_args, get_origin, get_type_hints

SCHEMA = json.loads("""{"type": "object", "required": ["name", "age"], "additional": false, "properties": {
 "name": {"type": "string", "minLength": 2, "pattern": "^[A-Z]"}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
 "email": {"type": "string", "format": "email"}, "tags": {"type": "array", "items": {"type": "string"}, "unique": true},
 "role": {"enum": ["admin", "user", null]}, "address": {"type": "object", "properties": {"zip": {"type": ["string", "integer"]}}}}}""")
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool, "null": NoneType}


def validate(value: Any, schema: dict, path: str = "$") -> Iterator[str]:
    kinds = schema.get("type")
    if kinds:
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not any(isinstance(value, TYPES[kind]) and not (isinstance(value, bool) and kind in ("integer", "number")) for kind in kinds):
            yield f"{path}: expected {' or '.join(kinds)}, got {type(value).__name__}"
            return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not one of {schema['enum']}"
    if isinstance(value, str):
        if len(value) < schema.get("minLength", 0):
            yield f"{path}: shorter than {schema['minLength']}"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{path}: does not match {schema['pattern']}"
        if schema.get("format") == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.\w+", value):
            yield f"{path}: no e-mail address"
    if isinstance(value, (int, float)) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value} is out of range"
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from validate(item, schema.get("items", {}), f"{path}[{index}]")
        if schema.get("unique") and len(value) != len({json.dumps(item) for item in value}):
            yield f"{path}: has duplicates"
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        yield from (f"{path}: lacks {name}" for name in schema.get("required", ()) if name not in value)
        for name, item in value.items():
            if name in properties:
                yield from validate(item, properties[name], f"{path}.{name}")
            elif schema.get("additional", True) is False:
                yield f"{path}: unknown {name}"


for text in ('{"name": "Ann", "age": 30, "role": null}', '{"name": "b", "age": -1, "extra": 1}', '{"name": 5, "tags": ["a", 1, "a"]}', '{"name": "Bob", "age": true, "email": "x@y", "role": "root", "address": {"zip": []}}', "[]"):
    problems = list(validate(json.loads(text), SCHEMA))
    print(text, "valid" if not problems else "", *problems, sep="\n  ")

Person = make_dataclass("Person", [("name", str), ("age", int, 0)], namespace={"older": lambda self: Person(self.name, self.age + 1)}, order=True)
print(Person("Ann"), Person("Ann", 3).older(), Person("A") < Person("B"))


class Movie(TypedDict, total=False):
    title: str
    year: int


def typed(a: int, b: Union[str, None] = None, c: Annotated[float, "metres"] = 1.0, *, d: Literal["x", "y"] = "x") -> list[dict[str, int]]:
    return []


print(get_type_hints(typed), get_origin(dict[str, int]), get_args(Union[int, str, None]), Movie(title="M"), Movie.__annotations__, Movie.__total__)
type Pair[T] = tuple[T, T]


def first[T](pair: Pair[T]) -> T:
    return pair[0]


class Stack[T]:
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, item: T) -> "Stack[T]":
        self.items.append(item)
        return self


print(first((1, 2)), Pair, Pair.__value__, Stack[int]().push(1).push(2).items, Stack.__type_params__, int | None, list[int] | None, Stack[str])
