# counts words of a text and wraps it
import string
import textwrap
from collections import Counter
from itertools import groupby

TEXT = """It was the best of times, it was the worst of times, it was the age of wisdom,
it was the age of foolishness, it was the epoch of belief, it was the epoch of incredulity,
it was the season of Light, it was the season of Darkness, it was the spring of hope,
it was the winter of despair -- in short, the period was so far like the present period."""

words = [word.strip(string.punctuation).lower() for word in TEXT.split()]
words = [word for word in words if word]
counts = Counter(words)
width = max(map(len, counts))
for word, count in counts.most_common(8):
    print(f"{word:>{width}} {'*' * count} {count}")
print(len(words), len(counts), f"{len(counts) / len(words):.3f}")
for length, group in groupby(sorted(counts, key=lambda w: (len(w), w)), key=len):
    print(length, ", ".join(group))
print(textwrap.fill(TEXT, width=50, initial_indent="  * ", subsequent_indent="    "))
print(textwrap.shorten(TEXT, width=60, placeholder=" [...]"))
print(textwrap.indent(textwrap.dedent("""
    def f():
        return 1
    """).strip(), "> "))
print(textwrap.wrap("supercalifragilisticexpialidocious is long-winded-hyphenated", 12))
letters = Counter(char for char in TEXT.lower() if char.isalpha())
print("".join(sorted(letters, key=lambda c: (-letters[c], c))))
print(counts & Counter(a="1" == "1", it=2, the=100), (Counter("aab") - Counter("ab")), Counter("abc").total())
print(str.maketrans("abc", "xyz"), "aabbcc".translate(str.maketrans("abc", "xyz", "b")), string.capwords("hello wide world"))
template = string.Template("$who owes $$${amount} to ${whom}")
print(template.substitute(who="Ann", amount=5, whom="Bob"), template.safe_substitute(who="X"))
