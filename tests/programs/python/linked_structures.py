# linked list, binary tree, heap and trie as classes with iterators
from __future__ import annotations

import bisect
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, Iterator, Optional, TypeVar

T = TypeVar("T")


@dataclass
class Node(Generic[T]):
    value: T
    next: Optional[Node[T]] = None


class LinkedList(Generic[T]):
    def __init__(self, items=()):
        self.head = None
        for item in reversed(list(items)):
            self.head = Node(item, self.head)

    def __iter__(self) -> Iterator[T]:
        node = self.head
        while node:
            yield node.value
            node = node.next

    def reverse(self):
        previous, node = None, self.head
        while node:
            node.next, previous, node = previous, node, node.next
        self.head = previous

    def __repr__(self):
        return " -> ".join(map(repr, self)) + " -> None"


@dataclass
class Tree:
    value: int
    left: Optional[Tree] = field(default=None, repr=False)
    right: Optional[Tree] = field(default=None, repr=False)

    def insert(self, value):
        side = "left" if value < self.value else "right"
        if child := getattr(self, side):
            child.insert(value)
        else:
            setattr(self, side, Tree(value))

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right

    def depth(self):
        return 1 + max((child.depth() for child in (self.left, self.right) if child), default=0)

    def levels(self):
        queue = deque([(self, 0)])
        while queue:
            node, level = queue.popleft()
            yield level, node.value
            queue.extend((child, level + 1) for child in (node.left, node.right) if child)

    def show(self, indent=0):
        if self.right:
            self.right.show(indent + 4)
        print(" " * indent + str(self.value))
        if self.left:
            self.left.show(indent + 4)


class Trie:
    def __init__(self):
        self.root = {}

    def add(self, word):
        node = self.root
        for char in word:
            node = node.setdefault(char, {})
        node["$"] = True

    def starting(self, prefix):
        node = self.root
        for char in prefix:
            if char not in node:
                return
            node = node[char]
        stack = [(prefix, node)]
        while stack:
            word, node = stack.pop()
            if "$" in node:
                yield word
            stack.extend((word + char, node[char]) for char in sorted(node, reverse=True) if char != "$")


items = LinkedList("abcd")
print(items, Node(1, Node(2)))
items.reverse()
print(items, list(LinkedList()), LinkedList([1]))
tree = Tree(50)
for value in (30, 70, 20, 40, 60, 80, 10, 45, 65):
    tree.insert(value)
print(list(tree), tree.depth(), list(tree.levels()), tree)
tree.show()
trie = Trie()
for word in "car card care cat dog do".split():
    trie.add(word)
print(list(trie.starting("car")), list(trie.starting("d")), list(trie.starting("x")))
scores = [10, 20, 20, 40]
print(bisect.bisect_left(scores, 20), bisect.bisect(scores, 20), [("FDCBA"[bisect.bisect([60, 70, 80, 90], s)]) for s in (33, 99, 77, 70)])
ring = deque(range(5), maxlen=5)
ring.append(5)
ring.rotate(2)
print(ring, ring.count(5), list(reversed(ring)), deque("ab") + deque("c"))
