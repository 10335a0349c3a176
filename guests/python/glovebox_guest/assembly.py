"""Assembly: how does a function become a generator that can stop at its calls?

Its bytecode is taken apart and put together again with more instructions: at each call, `resolve`
says whether there is a generator for what is called, and then the function goes on with that as
by `yield from`. All else stays: constants, names, lines, handlers.
"""

from glovebox_guest.own import __builtins__

import dis
import itertools
import opcode

GENERATOR = 0x20
"""`inspect.CO_GENERATOR`."""
TURNS = 1000
"""Turns of loops without an end from one pause to the next."""
ROOM = 6
"""Stack that the added instructions need."""

op = opcode.opmap
CALLS = {op["CALL"]: 2, op["CALL_KW"]: 3, op["CALL_FUNCTION_EX"]: 4}
"""Instructions that call, and how deep below their arguments they have what is called."""
CACHES = {op[name]: count for name, count in opcode._inline_cache_entries.items()}
BACKWARD = frozenset(number for name, number in op.items() if name.startswith("JUMP_BACKWARD"))
JUMPS = frozenset(opcode.hasjrel)
NOWHERE = (None, None, None, None)


class Instruction:
    """One instruction, with the one that it jumps to."""

    __slots__ = ("number", "argument", "target", "position", "place")

    def __init__(self, number, argument=0, position=NOWHERE, target=None):
        self.number, self.argument, self.target, self.position = number, argument or 0, target, position
        self.place = 0

    def size(self):
        """Code units with its prefixes and caches."""
        return 1 + (max(self.argument.bit_length(), 1) - 1) // 8 + CACHES.get(self.number, 0)


class Assembly:
    """The code of a function that is made a generator."""

    def __init__(self, code, helpers, is_endless):
        self.code, self.is_endless = code, is_endless
        self.constants = list(code.co_consts)
        self.resolve, self.fetch, self.waiters, self.pause = (self._constant(helper) for helper in helpers)
        self.type = self._constant(type)
        turns = itertools.cycle([None] * (TURNS - 1) + [True])
        self.turn = self._constant(turns.__next__) if is_endless else 0
        self.made = []
        # Where each instruction of the code begins now.
        self.starts = {}

    def _constant(self, thing):
        self.constants.append(thing)
        return len(self.constants) - 1

    def assemble(self):
        """The new code."""
        code = self.code
        positions = list(code.co_positions())
        jumps = []
        is_begun = False
        for place, start, number, argument in dis._unpack_opargs(code.co_code):
            if number == op["EXTENDED_ARG"]:
                continue
            position = positions[min(start // 2, len(positions) - 1)]
            begun = len(self.made)
            if number == op["RETURN_GENERATOR"]:
                is_begun = True
            elif number == op["RESUME"] and not is_begun:
                is_begun = True
                self._add(position, "RETURN_GENERATOR")
                self._add(position, "POP_TOP")
            last = self._translate(number, argument or 0, position)
            self.starts[start] = self.made[begun]
            if number in JUMPS:
                jumps.append((last, dis._get_jump_target(number, argument, place)))
        self._resolve_jumps(jumps)
        self._place()
        return code.replace(
            co_code=self._text(), co_consts=tuple(self.constants), co_flags=code.co_flags | GENERATOR,
            co_stacksize=code.co_stacksize + ROOM, co_linetable=self._lines(), co_exceptiontable=self._handlers(),
        )

    def _add(self, position, name, argument=0, target=None):
        made = Instruction(op[name], argument, position, target)
        self.made.append(made)
        return made

    def _translate(self, number, argument, position):
        if number in CALLS:
            count = 0 if number == op["CALL_FUNCTION_EX"] else argument
            return self._call(number, argument, count + CALLS[number], position)
        if number == op["FOR_ITER"]:
            self._add(position, "LOAD_CONST", self.type)
            self._add(position, "PUSH_NULL")
            self._add(position, "COPY", 3)
            self._add(position, "CALL", 1)
            self._add(position, "LOAD_CONST", self.waiters)
            self._add(position, "CONTAINS_OP", 0)
            is_plain = self._add(position, "POP_JUMP_IF_FALSE")
            self._add(position, "NOT_TAKEN")
            self._ask(position, self.fetch, 1)
            has_all = self._add(position, "POP_JUMP_IF_NONE")
            self._add(position, "NOT_TAKEN")
            self._go_on(position)
            has_all.target = self._add(position, "POP_TOP")
            is_plain.target = self._add(position, "NOP")
        elif self.is_endless and number == op["JUMP_BACKWARD"]:
            self._turn(position)
        made = Instruction(number, argument, position)
        self.made.append(made)
        return made

    def _ask(self, position, helper, depth):
        """Calls a helper with what lies at a depth of the stack, and keeps its answer twice."""
        self._add(position, "LOAD_CONST", helper)
        self._add(position, "PUSH_NULL")
        self._add(position, "COPY", depth + 2)
        self._add(position, "CALL", 1)
        self._add(position, "COPY", 1)

    def _call(self, number, argument, depth, position):
        self._ask(position, self.resolve, depth)
        is_plain = self._add(position, "POP_JUMP_IF_NONE")
        self._add(position, "NOT_TAKEN")
        self._add(position, "SWAP", depth + 1)
        self._add(position, "POP_TOP")
        self.made.append(Instruction(number, argument, position))
        self._go_on(position)
        done = self._add(position, "JUMP_FORWARD")
        is_plain.target = self._add(position, "POP_TOP")
        made = Instruction(number, argument, position)
        self.made.append(made)
        done.target = self._add(position, "NOP")
        return made

    def _go_on(self, position):
        """As `yield from` with the generator on the stack."""
        self._add(position, "LOAD_CONST", self._none())
        send = self._add(position, "SEND")
        self._add(position, "YIELD_VALUE", 1)
        self._add(position, "RESUME", 2)
        self._add(position, "JUMP_BACKWARD_NO_INTERRUPT", target=send)
        send.target = self._add(position, "END_SEND")

    def _none(self):
        return next((place for place, thing in enumerate(self.constants) if thing is None), None) or self._constant(None)

    def _turn(self, position):
        """Pauses at some turns of a loop."""
        self._add(position, "LOAD_CONST", self.turn)
        self._add(position, "PUSH_NULL")
        self._add(position, "CALL", 0)
        goes_on = self._add(position, "POP_JUMP_IF_NONE")
        self._add(position, "NOT_TAKEN")
        self._add(position, "LOAD_CONST", self.pause)
        self._add(position, "PUSH_NULL")
        self._add(position, "CALL", 0)
        self._go_on(position)
        self._add(position, "POP_TOP")
        goes_on.target = self._add(position, "NOP")

    def _resolve_jumps(self, jumps):
        for made, place in jumps:
            made.target = self.starts[place]

    def _place(self):
        """Finds where each instruction lies; a long jump has a prefix, which makes others longer."""
        is_stable = False
        while not is_stable:
            place = 0
            for made in self.made:
                made.place = place
                place += made.size()
            is_stable = True
            for made in self.made:
                if made.target is None:
                    continue
                # A target's prefixes are part of it.
                distance = abs(made.target.place - made.place - made.size())
                if distance != made.argument:
                    made.argument = distance
                    is_stable = False
        self.length = place

    def _text(self):
        text = bytearray()
        for made in self.made:
            prefixes = (max(made.argument.bit_length(), 1) - 1) // 8
            for turn in range(prefixes, 0, -1):
                text += bytes((op["EXTENDED_ARG"], made.argument >> 8 * turn & 255))
            text += bytes((made.number, made.argument & 255))
            text += bytes(2 * CACHES.get(made.number, 0))
        return bytes(text)

    def _lines(self):
        table = bytearray()
        line_before = self.code.co_firstlineno
        for position, group in itertools.groupby(self.made, key=lambda made: made.position):
            left = sum(made.size() for made in group)
            line, end_line, column, end_column = position
            while left:
                units = min(left, 8)
                left -= units
                if line is None:
                    table.append(0x80 | 15 << 3 | units - 1)
                    continue
                kind = 13 if end_line is None or column is None or end_column is None else 14
                table.append(0x80 | kind << 3 | units - 1)
                change = line - line_before
                table += _small_first(change << 1 if change >= 0 else -change << 1 | 1)
                line_before = line
                if kind == 14:
                    for number in (end_line - line, column + 1, end_column + 1):
                        table += _small_first(number)
        return bytes(table)

    def _handlers(self):
        table = bytearray()
        for entry in dis._parse_exception_table(self.code):
            start, target = self.starts[entry.start].place, self.starts[entry.target].place
            end = self.starts[entry.end].place if entry.end in self.starts else self.length
            # The first byte of an entry is marked.
            table += _large_first(start, 0x80)
            for number in (end - start, target, entry.depth << 1 | entry.lasti):
                table += _large_first(number, 0)
        return bytes(table)


def _small_first(number):
    groups = bytearray()
    while number > 63:
        groups.append(0x40 | number & 63)
        number >>= 6
    groups.append(number)
    return groups


def _large_first(number, mark):
    groups = [number & 63]
    while number := number >> 6:
        groups.insert(0, 0x40 | number & 63)
    groups[0] |= mark
    return bytes(groups)
