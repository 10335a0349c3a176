# the network is refused in the library's own words
# only = "a container has no network to ask for, so nobody refuses by name"
import urllib.error
import urllib.request

try:
    urllib.request.urlopen("http://example.org/")
except urllib.error.URLError as error:
    print("URLError", "allow" in str(error).lower() or "denied" in str(error).lower())
