# objects that are equal to everything stay what they are
from unittest.mock import ANY, Mock, call, sentinel

print(repr(ANY), type(ANY).__name__, ANY == "x", sentinel.thing)
mock = Mock(return_value=3)
print(mock(1, b=2))
mock.assert_called_once_with(ANY, b=ANY)
print(mock.call_args == call(1, b=ANY), mock.mock_calls == [call(ANY, b=2)])
print({"id": 7, "name": "x"} == {"id": ANY, "name": "x"}, [1, 2] == [ANY, 3])
