# expect:
import json
import urllib.request

with urllib.request.urlopen("https://example.com/tool.json") as answer:
    text = answer.read()
print(json.loads(text), "exec", "eval")
