# csv, json and text files
# files = { "in/data.csv" = "name,age\nAda,36\n\"Alan, T.\",41\n" }
# artifacts = ["out/*"]
# leaves = { "out/data.json" = "[\n {\n  \"name\": \"Ada\",\n  \"age\": \"36\"\n },\n {\n  \"name\": \"Alan, T.\",\n  \"age\": \"41\"\n }\n]" }
import csv
import json
import pathlib

with open("in/data.csv", newline="") as file:
    rows = list(csv.DictReader(file))
print(rows)
folder = pathlib.Path("out")
folder.mkdir()
(folder / "data.json").write_text(json.dumps(rows, indent=1))
print(json.loads((folder / "data.json").read_text()) == rows)
print(sorted(str(path) for path in pathlib.Path(".").rglob("*.*")))
print(json.dumps({"ü": [1.5, None, True, "\u2028"], "big": 2**70}, ensure_ascii=False, sort_keys=True))
