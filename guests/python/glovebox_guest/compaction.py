"""Heap compaction: why does an evaluation write to few pages?

Because the allocators give it memory that lies together. While the image is made, holes open all over the heap, and whatever is allocated
later would be strewn over them, each on a page that instances share until it is written. So the holes are filled, for good.
"""

from glovebox_guest.own import __builtins__

POOL_BYTES = 16 * 1024
"""Size and alignment of what CPython's allocator divides into blocks of one size."""
POOL_HEADER = 64
"""A block that begins below this offset is the first of its pool."""
BLOCK_STEP = 8
LARGEST_BLOCK = 512
BYTES_HEADER = bytes.__basicsize__
LARGEST_HOLE = 1 << 18
MANY = 200_000
"""More than any heap has holes of one size; ends the search where an allocator is not as described here."""

filling = []


def compact():
    """Fills the holes. What is freed after it makes new ones."""
    for size in range(LARGEST_BLOCK, BYTES_HEADER, -BLOCK_STEP):
        _fill_pools(size)
    size = LARGEST_HOLE
    while size > LARGEST_BLOCK:
        _fill_holes(size)
        size = size * 7 // 8


def _fill_pools(size):
    """Takes blocks of one size until the first of a fresh pool comes."""
    length = size - BYTES_HEADER
    for _ in range(MANY):
        block = bytes(length)
        filling.append(block)
        if id(block) % POOL_BYTES < POOL_HEADER:
            return


def _fill_holes(size):
    """Takes chunks that the C library has free below its end."""
    end = id(bytes(LARGEST_HOLE + POOL_BYTES))
    for _ in range(MANY):
        chunk = bytes(size)
        if id(chunk) >= end:
            return
        filling.append(chunk)
