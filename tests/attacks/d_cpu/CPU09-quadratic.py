# CPU09 parses a text in quadratic time
# limits = { fuel = 500_000_000, wall = "1s", source = "1MiB" }
# expect = ["denied", "limited:fuel", "limited:memory", "limited:wall"]
# --- twin
import json
assert json.loads("[1, 2]") == [1, 2]
print("ok")
# --- attack
import xml.etree.ElementTree as tree
tree.fromstring('<!DOCTYPE l [<!ENTITY a "%s">]><l>%s</l>' % ("a" * 100_000, "&a;" * 100_000))
print("got through")
