# the file of the program is not among its results, but what it writes is
# artifacts = ["*.py", "*.txt"]
# leaves = { "copy.txt" = "small" }
from pathlib import Path

place = Path(__file__).resolve().parent
(place / "copy.txt").write_text("small")
print(Path(__file__).read_text().splitlines()[-1])
