# CPU09 expands entities that laugh a billion times
# limits = { fuel = 500_000_000, wall = "1s" }
# expect = ["denied", "limited:fuel", "limited:memory", "limited:wall"]
# --- twin
import xml.etree.ElementTree as tree
assert tree.fromstring("<a><b>1</b></a>").find("b").text == "1"
print("ok")
# --- attack
import xml.etree.ElementTree as tree
lines = ['<!ENTITY l0 "lol">'] + ['<!ENTITY l%d "%s">' % (number, ("&l%d;" % (number - 1)) * 10) for number in range(1, 12)]
tree.fromstring("<!DOCTYPE l [%s]><l>&l11;</l>" % "".join(lines))
print("got through")
