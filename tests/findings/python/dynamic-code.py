# expect: dynamic-code:5 dynamic-code:6 dynamic-code:7 dynamic-code:8
import builtins

text = input()
print(eval(text))
exec(open("other.py").read())
getattr(builtins, "ev" + "al")(text)
__builtins__.exec(text)
