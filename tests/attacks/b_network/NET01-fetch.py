# NET01 asks for HTTP of the host without a grant
# expect = ["denied", "absent"]
# --- twin
import urllib.parse
assert urllib.parse.urlsplit("http://a/b").netloc == "a"
print("ok")
# --- attack
import urllib.request, http.client
for host in ["127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "[::ffff:127.0.0.1]", "allowed@127.0.0.1"]:
    attempt(host, lambda: urllib.request.urlopen("http://%s:{{port}}/" % host, timeout=1).read())
def ask():
    connection = http.client.HTTPConnection("127.0.0.1", {{port}}, timeout=1)
    connection.request("GET", "/")
    return connection.getresponse().read()
attempt("http.client", ask)
attempt("file", lambda: urllib.request.urlopen("file://{{outside}}/secret.txt").read())
attempt("ftp", lambda: urllib.request.urlopen("ftp://127.0.0.1:{{port}}/x").read())
