# conversions: Roman numerals, number words, bases, Morse, units
import struct
from collections import OrderedDict

ROMAN = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]


def to_roman(number):
    text = ""
    for value, letters in ROMAN:
        times, number = divmod(number, value)
        text += letters * times
    return text


def from_roman(text):
    values = dict((letters, value) for value, letters in ROMAN)
    total = 0
    for here, after in zip(text, text[1:] + " "):
        total += -values[here] if values.get(after, 0) > values[here] else values[here]
    return total


ONES = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()


def in_words(n):
    if n < 0:
        return "minus " + in_words(-n)
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + ("-" + ONES[n % 10] if n % 10 else "")
    if n < 1000:
        return ONES[n // 100] + " hundred" + (" and " + in_words(n % 100) if n % 100 else "")
    for power, name in ((10**9, "billion"), (10**6, "million"), (1000, "thousand")):
        if n >= power:
            rest = n % power
            return in_words(n // power) + " " + name + ((", " if rest > 99 else " and ") + in_words(rest) if rest else "")


def to_base(n, base, digits="0123456789abcdefghijklmnopqrstuvwxyz"):
    if n == 0:
        return "0"
    sign, n, out = "-" if n < 0 else "", abs(n), []
    while n:
        n, digit = divmod(n, base)
        out.append(digits[digit])
    return sign + "".join(reversed(out))


for number in (1, 4, 9, 14, 40, 90, 400, 1994, 2025, 3999):
    assert from_roman(to_roman(number)) == number
    print(f"{number:>5} {to_roman(number):<12} {in_words(number)}")
print(in_words(1_234_567), "|", in_words(-1_000_001), "|", in_words(7_000_000_100))
for n in (255, -1024, 2**70):
    print(n, to_base(n, 2)[:40], to_base(n, 36), f"{n:x} {n:#o} {n:,} {n:_} {n:e} {n:+d}", n.bit_length(), n.bit_count())
print(int("ff", 16), int("0b101", 0), int("z", 36), bin(10), hex(-255), oct(8), float.hex(0.1), float.fromhex("0x1.8p3"))
print((1234).to_bytes(4, "big"), int.from_bytes(b"\x01\x00", "little"), struct.pack(">IhB", 1, -2, 3).hex(), struct.unpack("<f", b"\x00\x00\x80?"), struct.calcsize("<qd?"))
sizes = OrderedDict([("TiB", 2**40), ("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10), ("B", 1)])


def human(size):
    unit, factor = next((u, f) for u, f in sizes.items() if size >= f or u == "B")
    return f"{size / factor:.4g} {unit}"


print(*map(human, (0, 999, 1024, 123456, 10**9, 5 * 2**41)), sep=" | ")
for seconds in (59, 3600, 90061, 0.5):
    minutes, s = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    print(f"{hours:02}:{minutes:02}:{s:04.1f}", end=" ")
print(f"{1/3:.3%} {12345.678:g} {1e-7} {1e22} {123456789.0:.3g} {3.0} {float('nan')} {-1e309} {5//-2} {-5%3} {5.5//2} {divmod(-7, 2)} {round(2.5)} {round(-1.5)} {2**-1} {7/2} {0.1+0.7}")
