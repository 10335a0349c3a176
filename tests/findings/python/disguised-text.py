# expect: disguised-text:2
# -*- coding: unicode_escape -*-
print(1)
