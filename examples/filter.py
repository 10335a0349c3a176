"""Shows standard input: counts the words that come through a pipe.

    glovebox run examples/filter.py < README.md
"""

import collections
import re
import sys

words = collections.Counter(word.lower() for line in sys.stdin for word in re.findall(r"[^\W\d_]+", line))
for word, count in words.most_common(10):
    print(f"{count:6} {word}")
