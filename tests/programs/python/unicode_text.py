# text in many scripts: normal forms, widths, categories, encodings
import codecs
import locale
import unicodedata
from collections import Counter

SAMPLES = ["café", "cafe\u0301", "Ǆungla", "ﬁne", "Ⅷ", "日本語", "русский", "עברית", "👩‍👩‍👧 family", "I\u0307stanbul", "Straße", "①②½", "naïve\u00a0x\u200b"]


def width(text):
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def slug(text):
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return "-".join("".join(c if c.isalnum() else " " for c in plain.lower()).split()) or "-"


for text in SAMPLES:
    forms = {form: len(unicodedata.normalize(form, text)) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    print(f"{ascii(text):<50} {len(text):>2} {width(text):>2} {slug(text):<10} {forms}")
for char in "aÉ٣½₤☃\u200d\U0001f600\n":
    print(f"U+{ord(char):04X} {unicodedata.name(char, '<none>'):<35} {unicodedata.category(char)} {unicodedata.bidirectional(char)} {unicodedata.numeric(char, None)} {char.isalpha()} {char.isdigit()} {char.isprintable()}")
print("café" == "cafe\u0301", unicodedata.normalize("NFC", "cafe\u0301") == "café", unicodedata.lookup("GREEK SMALL LETTER PI"), "\N{SNOWMAN}")
print("STRASSE".casefold() == "straße".casefold(), "ΣΑΣ".lower(), "ǆ".upper(), "ŉ".upper(), "ﬀ".title(), "i̇".upper(), "ÿ".capitalize())
text = "Zoë 日本 😀"
for encoding in ("utf-8", "utf-16-le", "utf-8-sig", "utf-32-be", "cp1252", "shift_jis", "iso-8859-15", "ascii", "koi8-r", "gb18030", "utf-7", "punycode", "big5", "euc-kr"):
    try:
        data = text.encode(encoding)
        print(f"{encoding:<12} {len(data):>3} {data[:14].hex()} {data.decode(encoding) == text}")
    except UnicodeEncodeError as error:
        print(f"{encoding:<12} {error}")
for handler in ("ignore", "replace", "backslashreplace", "namereplace", "xmlcharrefreplace"):
    print(handler, "aé😀".encode("ascii", handler))
print(b"ab\xe9\xff".decode("utf-8", "backslashreplace"), b"\xe9".decode("latin-1"), b"\x80".decode("cp1252"), "bücher.example".encode("idna"), codecs.encode("Hello", "rot13"), codecs.lookup("utf8").name)
with open("u.txt", "w", encoding="utf-16") as file:
    file.write("ünï\n")
print(open("u.txt", "rb").read().hex(), open("u.txt", encoding="utf-16").read().strip())
try:
    open("u.txt", encoding="utf-8").read()
except UnicodeDecodeError as error:
    print(error)
print(sorted(["éclair", "zebra", "Apfel", "apple", "Äpfel"]), sorted(["éclair", "zebra", "Apfel", "Äpfel"], key=lambda s: unicodedata.normalize("NFD", s.casefold())))
print("tab\there".expandtabs(8), "a\u2028b\x0bc\r\nd".splitlines(), "x y".isspace(), "١٢".isdecimal(), int("١٢"), "²".isdigit(), "Ⅷ".isnumeric(), "a1_".isidentifier(), "𝒳".isidentifier())
print(repr("\x00\x1f\x7f\x80\xa0\u200b\ud800"), "%-8s|%+.2e|%#x|%c|%5.1f%%" % ("ab", 12345.678, 255, "é", 99.55), "{0!r:>8}{1:^+9.2f}{name[k]}".format("x", 3.14159, name={"k": 1}))
print(Counter(unicodedata.category(c) for s in SAMPLES for c in s).most_common(4), len("👩‍👩‍👧"), "👩‍👩‍👧"[0], "abc".center(9, "·"), "42".zfill(6), "-5".zfill(4), "a-b_c".partition("-"), "x".join("abc"), "abcabc".rsplit("b", 1), "prefix-x".removeprefix("prefix-"))
print(locale.getlocale(), locale.format_string("%.2f", 1234.5, grouping=True), unicodedata.unidata_version)
