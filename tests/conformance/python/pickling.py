# pickle, copy, struct, array, bisect, heapq
import array
import bisect
import copy
import heapq
import io
import pickle
import struct


class Thing:
    def __init__(self):
        self.items = {"a": {1, 2}}


back = pickle.loads(pickle.dumps(Thing()))
print(type(back).__name__, back.items, copy.deepcopy(back).items is back.items)
print(struct.pack(">IhB", 1, -2, 255), struct.unpack("<d", struct.pack("<d", 1.5)), array.array("i", [1, 2]).tobytes().hex())
heap = [5, 1, 4]
heapq.heapify(heap)
print(heapq.heappop(heap), heapq.nlargest(2, [3, 9, 7]), bisect.bisect([1, 3, 5], 3))
buffer = io.BytesIO(b"abc")
print(buffer.read(1), buffer.getvalue(), io.StringIO("x\ny").readlines())
