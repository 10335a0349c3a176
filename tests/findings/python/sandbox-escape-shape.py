# expect: sandbox-escape-shape:2 sandbox-escape-shape:3 sandbox-escape-shape:4 sandbox-escape-shape:5 sandbox-escape-shape:6 sandbox-escape-shape:7 sandbox-escape-shape:8 sandbox-escape-shape:9
().__class__.__base__.__subclasses__()
"".__class__.__mro__[1].__subclasses__()[40]
print(print.__init__.__globals__)
getattr(object, "__sub" + "classes__")()
frame = (one for one in ()).gi_frame.f_back
frame.f_globals["__builtins__"]
"{0.__class__.__globals__}".format(1)
(lambda: 1).__code__.replace(co_code=b"")
