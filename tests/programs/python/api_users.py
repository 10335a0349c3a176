# asks an API for users, filters them and posts a summary
# api = true
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter

BASE = os.environ["API"]


def get(path, **query):
    url = BASE + path + ("?" + urllib.parse.urlencode(query) if query else "")
    request = urllib.request.Request(url, headers={"Accept": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.status, response.headers.get_content_type(), json.load(response)


status, kind, users = get("/users", active="yes", q="a b&c")
print(status, kind, len(users))
for user in users:
    print(f"{user['id']:>2} {user['name']:<15} {user['email']:<20} {'active' if user['active'] else '-'}")
print(Counter(user["team"] for user in users))
status, _, user = get("/users/1")
print(user["address"]["city"], sorted(user))

body = json.dumps({"active": [user["id"] for user in users if user["active"]], "name": "Zoë"}).encode()
request = urllib.request.Request(BASE + "/summaries", data=body, headers={"Content-Type": "application/json"}, method="POST")
with urllib.request.urlopen(request) as response:
    print(response.status, json.loads(response.read()))
try:
    get("/nothing")
except urllib.error.HTTPError as error:
    print(error.code, error.reason, json.load(error), str(error))
form = urllib.parse.urlencode({"a": [1, 2], "b": "x y"}, doseq=True)
print(form, urllib.parse.parse_qsl(form), urllib.parse.quote("ü/ä?"), urllib.parse.unquote_plus("a+b%20c"))
try:
    urllib.request.urlopen("nonsense://x")
except urllib.error.URLError as error:
    print(error)
try:
    urllib.request.urlopen("no url")
except ValueError as error:
    print(error)
