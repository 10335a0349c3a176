# sorts a list in many ways and counts comparisons
import random
import timeit
from heapq import heapify, heappop, merge, nlargest, nsmallest

random.seed(99)


class Counted:
    comparisons = 0
    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def __lt__(self, other):
        Counted.comparisons += 1
        return self.value < other.value

    def __le__(self, other):
        return not other < self


def bubble(items):
    items = items[:]
    for end in range(len(items) - 1, 0, -1):
        swapped = False
        for i in range(end):
            if items[i + 1] < items[i]:
                items[i], items[i + 1] = items[i + 1], items[i]
                swapped = True
        if not swapped:
            break
    return items


def insertion(items):
    result = []
    for item in items:
        place = len(result)
        while place and item < result[place - 1]:
            place -= 1
        result.insert(place, item)
    return result


def quick(items):
    if len(items) < 2:
        return items
    pivot, *rest = items
    return quick([x for x in rest if x < pivot]) + [pivot] + quick([x for x in rest if pivot <= x])


def merge_sort(items):
    if len(items) < 2:
        return items
    middle = len(items) // 2
    left, right = merge_sort(items[:middle]), merge_sort(items[middle:])
    result = []
    while left and right:
        result.append((left if left[0] < right[0] else right).pop(0))
    return result + left + right


def heap_sort(items):
    heap = items[:]
    heapify(heap)
    return [heappop(heap) for _ in items]


data = [random.randint(0, 999) for _ in range(120)]
expected = sorted(data)
print(data[:10], expected[:10])
for sort in (bubble, insertion, quick, merge_sort, heap_sort, sorted):
    Counted.comparisons = 0
    result = [item.value for item in sort([Counted(value) for value in data])]
    print(f"{sort.__name__:<12} {result == expected} {Counted.comparisons:>6}")
print(nlargest(3, data), nsmallest(3, data, key=lambda x: x % 100), list(merge([1, 4, 9], [2, 3, 10], reverse=False)))
words = ["banana", "Apple", "cherry", "apple", "Éclair", "10", "9"]
print(sorted(words), sorted(words, key=str.lower), sorted(words, key=len, reverse=True))
random.shuffle(data)
print(random.sample(data, 5), random.choice(words), random.uniform(1, 2), random.gauss(0, 1), random.getrandbits(40), random.randbytes(4).hex())
print(random.choices("abc", k=8), random.triangular(1, 5, 2), random.betavariate(2, 3), random.Random("seed").random(), random.binomialvariate(10, 0.3))
print(timeit.timeit("sorted(x)", globals={"x": data}, number=3) >= 0)
