# compares texts: unified diff, similar words, ratio, a merge
import difflib
import filecmp
import fnmatch
import glob
import os
from pathlib import Path

OLD = """\
def greet(name):
    print("Hello " + name)

greet("world")
# the end
"""
NEW = """\
def greet(name, greeting="Hello"):
    print(f"{greeting} {name}!")
    return name

greet("world")
"""

for line in difflib.unified_diff(OLD.splitlines(), NEW.splitlines(), "old.py", "new.py", lineterm=""):
    print(line)
print("\n".join(difflib.ndiff(["one", "two", "three"], ["ore", "tree", "emu"])))
print("".join(difflib.context_diff(OLD.splitlines(True), NEW.splitlines(True), "a", "b", n=1)))
matcher = difflib.SequenceMatcher(None, "private Thread currentThread;", "private volatile Thread currentThread;")
print(round(matcher.ratio(), 6), matcher.find_longest_match(), matcher.get_matching_blocks())
for tag, i1, i2, j1, j2 in matcher.get_opcodes():
    print(f"{tag:<8} a[{i1}:{i2}] b[{j1}:{j2}] {matcher.a[i1:i2]!r} -> {matcher.b[j1:j2]!r}")
print(difflib.get_close_matches("appel", ["ape", "apple", "peach", "puppy"]), difflib.get_close_matches("whlie", ["while", "whole"], n=1, cutoff=0.7))
page = difflib.HtmlDiff().make_table(["a", "b"], ["a", "c"])
print(len(page) > 100, page.count("<tr>"))

for name, text in {"x/one.txt": "1", "x/two.txt": "2", "y/one.txt": "1", "y/two.txt": "3", "y/new.md": ""}.items():
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text)
compared = filecmp.dircmp("x", "y")
print(compared.same_files, compared.diff_files, compared.right_only, filecmp.cmp("x/two.txt", "y/two.txt", shallow=False))
print(sorted(glob.glob("*/*.txt")), sorted(glob.glob("**/o*", recursive=True)), fnmatch.filter(["a.py", "b.txt", "c.PY"], "*.py"), fnmatch.translate("a?[bc]*"))
print(sorted(entry.name + ("/" if entry.is_dir() else "") for entry in os.scandir("y")), os.path.getsize("x/one.txt"))


def soundex(word):
    codes = {letter: digit for digit, letters in enumerate(["", "bfpv", "cgjkqsxz", "dt", "l", "mn", "r"]) for letter in letters}
    word = word.lower()
    digits, last = [], codes.get(word[0])
    for letter in word[1:]:
        code = codes.get(letter)
        if code and code != last:
            digits.append(str(code))
        if letter not in "hw":
            last = code
    return (word[0].upper() + "".join(digits) + "000")[:4]


print([soundex(name) for name in ("Robert", "Rupert", "Rubin", "Ashcraft", "Tymczak", "Pfister")])
ngrams = lambda text, n=2: {text[i : i + n] for i in range(len(text) - n + 1)}
jaccard = lambda a, b: len(ngrams(a) & ngrams(b)) / len(ngrams(a) | ngrams(b))
print(f"{jaccard('night', 'nacht'):.4f} {jaccard('context', 'contact'):.4f}")
