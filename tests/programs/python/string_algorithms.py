# string algorithms: palindromes, anagrams, KMP, Levenshtein, ciphers, compression
import re
from collections import Counter, defaultdict
from itertools import groupby, permutations


def longest_palindrome(text):
    best = ""
    for centre in range(len(text)):
        for right in (centre, centre + 1):
            left, end = centre, right
            while left >= 0 and end < len(text) and text[left] == text[end]:
                left, end = left - 1, end + 1
            if end - left - 1 > len(best):
                best = text[left + 1 : end]
    return best


def kmp(text, pattern):
    table, k = [0] * len(pattern), 0
    for i in range(1, len(pattern)):
        while k and pattern[i] != pattern[k]:
            k = table[k - 1]
        k += pattern[i] == pattern[k]
        table[i] = k
    found, k = [], 0
    for i, char in enumerate(text):
        while k and char != pattern[k]:
            k = table[k - 1]
        k += char == pattern[k]
        if k == len(pattern):
            found.append(i - k + 1)
            k = table[k - 1]
    return table, found


def levenshtein(a, b):
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (x != y)))
        previous = current
    return previous[-1]


def rle(text):
    return "".join(f"{len(list(group))}{char}" for char, group in groupby(text))


def unrle(text):
    return "".join(char * int(count) for count, char in re.findall(r"(\d+)(\D)", text))


def rail_fence(text, rails):
    rows = [[] for _ in range(rails)]
    for index, char in enumerate(text):
        row = index % (2 * rails - 2)
        rows[min(row, 2 * rails - 2 - row)].append(char)
    return "".join(map("".join, rows))


def balanced(text):
    pairs, stack = {")": "(", "]": "[", "}": "{"}, []
    for index, char in enumerate(text):
        if char in pairs.values():
            stack.append((char, index))
        elif char in pairs:
            if not stack or stack.pop()[0] != pairs[char]:
                return f"unexpected {char!r} at {index}"
    return f"unclosed {stack[-1][0]!r} at {stack[-1][1]}" if stack else "balanced"


print(longest_palindrome("forgeeksskeegfor"), longest_palindrome("A man a plan".replace(" ", "").lower()), repr(longest_palindrome("")))
print(kmp("ababcabcabababd", "ababd"), kmp("aaaa", "aa"))
groups = defaultdict(list)
for word in "listen silent enlist google elgoog abc cab".split():
    groups["".join(sorted(word))].append(word)
print(dict(groups), Counter("listen") == Counter("silent"))
for a, b in (("kitten", "sitting"), ("flaw", "lawn"), ("", "abc"), ("same", "same")):
    print(a, b, levenshtein(a, b))
print(rle("WWWWBWWW"), unrle(rle("aaabccddd")), rail_fence("WEAREDISCOVEREDFLEEATONCE", 3))
for text in ("{[()]}", "([)]", "((", "a(b)c]"):
    print(f"{text!r}: {balanced(text)}")
snake = lambda text: re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text).lower()
camel = lambda text: re.sub(r"_([a-z])", lambda m: m[1].upper(), text)
print([snake(w) for w in ("camelCase", "HTTPServerError", "already_snake", "X1Y")], camel("to_camel_case"), "hello world".title(), "they're bill's".title())
print(["".join(p) for p in permutations("abc")], sorted("The Quick brown".split(), key=str.swapcase), "Mississippi".count("ss"), "Mississippi".find("issi", 2), "a,b,,c".split(","), " a  b ".split(), "abc".rjust(6, ".") + "|")
vowels = sum(map("The quick brown fox".lower().count, "aeiou"))
print(vowels, "".join(dict.fromkeys("mississippi")), max(set("abracadabra"), key="abracadabra".count), "x=1;y=2".translate({ord(";"): "&", ord("="): None}), "%s has %d items costing %.2f (%5s|%-5s|%05d)" % ("cart", 3, 9.5, "r", "l", 42))
morse = {"S": "...", "O": "---", "E": "."}
print(" ".join(morse[c] for c in "SOSE"), "".join(chr(ord("a") + n) for n in range(26)), [ord(c) for c in "Aé€😀"], "1,234".replace(",", "").isdigit(), "ab12".isalnum(), "Hello"[1:-1:2], "Hello"[::-1])
acronym = "".join(word[0] for word in "portable network graphics".split()).upper()
print(acronym, "pneumonia".startswith(("pn", "x")), "a-b-c".rpartition("-"), "line1\nline2\r\n".splitlines(keepends=True), "tEsT".capitalize(), "\t".join("ab"), "abc" < "abd", "Z" < "a", "10" < "9")
