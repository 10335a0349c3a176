# the value of the last expression, as JSON where that is faithful
# value = "{'a': [1, 2.5, None, True], 'b': {'c': 'ü'}}"
# json = "{\"a\":[1,2.5,null,true],\"b\":{\"c\":\"ü\"}}"
print("side effect")
{"a": [1, 2.5, None, True], "b": {"c": "ü"}}
