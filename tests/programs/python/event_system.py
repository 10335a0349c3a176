# an event bus with weak references, priorities and undo, and a plug-in registry
import copy
import weakref
from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from types import MappingProxyType, SimpleNamespace
from typing import Any, Callable, ClassVar


@dataclass(slots=True, frozen=True)
class Event:
    name: str
    _: KW_ONLY
    data: dict[str, Any] = field(default_factory=dict)
    priority: int = 0
    created: ClassVar[int] = 0

    def __post_init__(self):
        Event.created += 1
        if not self.name:
            raise ValueError("an event has a name")


class Bus:
    def __init__(self):
        self._handlers: dict[str, list[tuple[int, Callable]]] = defaultdict(list)

    def on(self, name, priority=0):
        def register(function):
            self._handlers[name].append((priority, function))
            self._handlers[name].sort(key=lambda pair: -pair[0])
            return function

        return register

    def emit(self, event):
        results = []
        for _, handler in self._handlers[event.name] + self._handlers["*"]:
            result = handler(event)
            if result is False:
                break
            results.append(result)
        return results


class Command(ABC):
    @abstractmethod
    def do(self, text: str) -> str: ...

    @abstractmethod
    def undo(self, text: str) -> str: ...


@dataclass
class Insert(Command):
    at: int
    what: str

    def do(self, text):
        return text[: self.at] + self.what + text[self.at :]

    def undo(self, text):
        return text[: self.at] + text[self.at + len(self.what) :]


class Editor:
    def __init__(self):
        self.text, self.done, self.undone = "", [], []

    def run(self, command):
        self.text = command.do(self.text)
        self.done.append(command)
        self.undone.clear()

    def undo(self):
        command = self.done.pop()
        self.text = command.undo(self.text)
        self.undone.append(command)

    def redo(self):
        command = self.undone.pop()
        self.text = command.do(self.text)
        self.done.append(command)


bus = Bus()


@bus.on("save", priority=1)
def first(event):
    return f"first {event.data}"


@bus.on("save", priority=10)
def check(event):
    return False if event.data.get("stop") else "checked"


@bus.on("*")
def anything(event):
    return f"any {event.name}"


print(bus.emit(Event("save", data={"path": "x"})), bus.emit(Event("save", data={"stop": 1})), bus.emit(Event("load")))
event = Event("a", priority=3)
print(event, replace(event, name="b"), Event.created, [f.name for f in fields(event)], event == Event("a", priority=3))
for bad in (lambda: setattr(event, "name", "x"), lambda: Event(""), lambda: Event("x", {}), lambda: Insert(1)):
    try:
        bad()
    except Exception as error:
        print(type(error).__name__, error)
editor = Editor()
for command in (Insert(0, "world"), Insert(0, "hello "), Insert(11, "!")):
    editor.run(command)
print(editor.text, editor.done[-1])
editor.undo(), editor.undo()
print(editor.text)
editor.redo()
print(editor.text, editor.undone)


class Thing:
    def __del__(self):
        print("deleted")


thing = Thing()
reference = weakref.ref(thing, lambda _: print("callback"))
cache = weakref.WeakValueDictionary(key=thing)
print(reference() is thing, len(cache))
del thing
print(reference(), len(cache))
nested = {"a": [1, {"b": 2}]}
shallow, deep = copy.copy(nested), copy.deepcopy(nested)
nested["a"].append(3)
print(shallow, deep, SimpleNamespace(x=1, y="z"))
try:
    MappingProxyType({"k": 1})["k"] = 2
except TypeError as error:
    print(error)
