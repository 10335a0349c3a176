import re
from collections import Counter

text = "It was the best of times, it was the worst of times, it was the age of wisdom. " * 1_500
for _ in range(6):
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", text)]
    counts = Counter(words)
    joined = " ".join(sorted(set(words), key=lambda word: (-counts[word], word)))
    replaced = text.replace("times", "TIMES").upper().split()
assert counts["it"] == 4_500 and joined
