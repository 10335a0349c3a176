# the file of the program is not among its results, but what it writes is
# artifacts = ["*.py", "*.txt"]
# leaves = { "copy.txt" = "small" }
# only = "a container keeps the program in a folder that is not the workspace"
from pathlib import Path

place = Path(__file__).resolve().parent
(place / "copy.txt").write_text("small")
print(Path(__file__).read_text().splitlines()[-1])
