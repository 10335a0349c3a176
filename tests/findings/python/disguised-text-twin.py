# expect:
# -*- coding: utf-8 -*-
print("a".encode("utf-7"), "b".encode("unicode_escape"))
