import json

record = {"id": 7, "tags": ["a", "b", "c"] * 10, "nested": {str(i): i / 3 for i in range(120)}, "text": "x" * 400}
for _ in range(1_500):
    record = json.loads(json.dumps(record))
assert len(record["nested"]) == 120
