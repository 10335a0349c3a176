# an LRU cache by hand and the one of functools
from collections import OrderedDict
from functools import cache, cached_property, lru_cache


class LRUCache:
    """Keeps the last items that were used.

    >>> cache = LRUCache(1)
    >>> cache.put("a", 1)
    >>> cache.put("b", 2)
    >>> cache.get("a") is None
    True
    """

    def __init__(self, capacity):
        self.capacity = capacity
        self._items = OrderedDict()
        self.hits = self.misses = 0

    def get(self, key, default=None):
        if key not in self._items:
            self.misses += 1
            return default
        self.hits += 1
        self._items.move_to_end(key)
        return self._items[key]

    def put(self, key, value):
        self._items[key] = value
        self._items.move_to_end(key)
        if len(self._items) > self.capacity:
            evicted = self._items.popitem(last=False)
            print("evicted", evicted)

    def __contains__(self, key):
        return key in self._items

    def __repr__(self):
        return f"{type(self).__name__}({self.capacity}, {self._items!r})"


cached = LRUCache(3)
for word in "one two three one four two five one".split():
    if cached.get(word) is None:
        cached.put(word, len(word))
print(cached, cached.hits, cached.misses, "one" in cached)


@lru_cache(maxsize=4)
def square(n):
    print("computing", n)
    return n * n


print([square(n) for n in (1, 2, 1, 3, 4, 5, 1, 2)], square.cache_info())
square.cache_clear()
print(square.cache_info(), square.cache_parameters())


@cache
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


print(fibonacci(200), fibonacci.cache_info().currsize)


class Circle:
    def __init__(self, radius):
        self.radius = radius

    @cached_property
    def area(self):
        print("area once")
        return 3.14159 * self.radius**2


circle = Circle(2)
print(circle.area, circle.area, vars(circle))
if __name__ == "__main__":
    import doctest

    print(doctest.testmod())
