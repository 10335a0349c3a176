//! Where does memory come from?
//!
//! The C library's own allocator here rounds to powers of two and never joins what was freed. This one is a two-level segregated fit:
//! constant time, close fits, and neighbours that are free are one block again. Nobody else grows the memory, so the heap is one piece
//! from the end of the static data on.

#define ALIGNMENT 8u
#define HEADER 8u
#define SMALLEST 8u

typedef struct block {
    struct block *before; // the block that ends where this one begins; null for the first
    uint32_t size;        // bytes after the header, a multiple of eight; the lowest bit is set while the block is free
    struct block *next_free, *previous_free;
} block_t;

// Sizes below `LINEAR` have a class for each multiple of eight; above, each power of two has sixteen.
#define LINEAR 128u
#define STEPS_LOG2 4
#define STEPS (1u << STEPS_LOG2)
#define LEVELS 26
#define FREE 1u

static block_t *free_blocks[LEVELS][STEPS];
static uint32_t level_map;
static uint16_t step_map[LEVELS];
static block_t *last_block; // an empty one at the end of the heap

extern unsigned char __heap_base;

static uint32_t size_of(const block_t *block) {
    return block->size & ~FREE;
}

static bool is_free(const block_t *block) {
    return block->size & FREE;
}

static block_t *after(const block_t *block) {
    return (block_t *)((char *)block + HEADER + size_of(block));
}

static void class_of(uint32_t size, uint32_t *level, uint32_t *step) {
    if (size < LINEAR) {
        *level = 0;
        *step = size / 8;
        return;
    }
    uint32_t log2 = 31 - __builtin_clz(size);
    *level = log2 - 6;
    *step = (size >> (log2 - STEPS_LOG2)) & (STEPS - 1);
}

static void insert(block_t *block) {
    uint32_t level, step;
    class_of(size_of(block), &level, &step);
    block_t *head = free_blocks[level][step];
    block->size |= FREE;
    block->previous_free = NULL;
    block->next_free = head;
    if (head)
        head->previous_free = block;
    free_blocks[level][step] = block;
    level_map |= 1u << level;
    step_map[level] |= 1u << step;
}

static void take_out(block_t *block) {
    uint32_t level, step;
    class_of(size_of(block), &level, &step);
    if (block->next_free)
        block->next_free->previous_free = block->previous_free;
    if (block->previous_free) {
        block->previous_free->next_free = block->next_free;
    } else {
        free_blocks[level][step] = block->next_free;
        if (!block->next_free && !(step_map[level] &= ~(1u << step)))
            level_map &= ~(1u << level);
    }
    block->size &= ~FREE;
}

// A free block of a class all of whose members are large enough.
static block_t *find(uint32_t size) {
    uint32_t level, step;
    if (size >= LINEAR)
        size += (1u << (31 - __builtin_clz(size) - STEPS_LOG2)) - 1;
    class_of(size, &level, &step);
    if (level >= LEVELS)
        return NULL;
    uint32_t steps = step_map[level] & (~0u << step);
    if (!steps) {
        uint32_t levels = level + 1 < 32 ? level_map & (~0u << (level + 1)) : 0;
        if (!levels)
            return NULL;
        level = __builtin_ctz(levels);
        steps = step_map[level];
    }
    return free_blocks[level][__builtin_ctz(steps)];
}

// Gives back what the block does not need.
static void trim(block_t *block, uint32_t size) {
    uint32_t left = size_of(block) - size;
    if (left < HEADER + SMALLEST)
        return;
    block->size = size;
    block_t *rest = after(block);
    rest->before = block;
    rest->size = left - HEADER;
    block_t *next = after(rest);
    next->before = rest;
    if (is_free(next) && next != last_block) {
        take_out(next);
        rest->size += HEADER + next->size;
        after(rest)->before = rest;
    }
    insert(rest);
}

static void release(block_t *block) {
    block_t *next = after(block);
    if (next != last_block && is_free(next)) {
        take_out(next);
        block->size += HEADER + next->size;
    }
    if (block->before && is_free(block->before)) {
        block_t *before = block->before;
        take_out(before);
        before->size += HEADER + size_of(block);
        block = before;
    }
    after(block)->before = block;
    insert(block);
}

#define PAGE 65536u

// The first block: all memory behind the static data.
static void begin_heap(uint32_t start, uint32_t end) {
    block_t *first = (block_t *)(uintptr_t)start;
    first->before = NULL;
    first->size = end - start - 2 * HEADER;
    last_block = after(first);
    last_block->before = first;
    last_block->size = 0;
    insert(first);
}

// The old end becomes the header of what was added.
static void extend_heap(uint32_t end) {
    block_t *added = last_block;
    added->size = end - (uint32_t)(uintptr_t)added - 2 * HEADER;
    last_block = after(added);
    last_block->size = 0;
    last_block->before = added;
    release(added);
}

static bool grow(uint32_t size) {
    uint32_t start = ((uint32_t)(uintptr_t)&__heap_base + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
    uint64_t held = __builtin_wasm_memory_size(0) * (uint64_t)PAGE;
    uint32_t known = last_block ? (uint32_t)(uintptr_t)last_block + HEADER : start;
    // Memory may be there already: behind the static data at first, later where an image was made larger than it had to be.
    if (held < known + 4 * HEADER) {
        uint64_t pages = (size + 2 * (uint64_t)HEADER + PAGE - 1) / PAGE;
        if (__builtin_wasm_memory_grow(0, pages) == (size_t)-1)
            return false;
        held += pages * PAGE;
    }
    uint32_t end = held > UINT32_MAX ? UINT32_MAX & ~(ALIGNMENT - 1) : (uint32_t)held;
    if (last_block)
        extend_heap(end);
    else
        begin_heap(start, end);
    return true;
}

static uint32_t rounded(size_t size) {
    return size < SMALLEST ? SMALLEST : (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static block_t *block_of(void *memory) {
    return (block_t *)((char *)memory - HEADER);
}

#define LARGEST (UINT32_MAX - 4 * PAGE)

void *malloc(size_t size) {
    if (size > LARGEST) {
        errno = ENOMEM;
        return NULL;
    }
    uint32_t wanted = rounded(size);
    block_t *block = find(wanted);
    while (!block) {
        // A little more than wanted, as the search takes only classes whose members are all large enough.
        if (!grow(wanted + wanted / STEPS)) {
            errno = ENOMEM;
            return NULL;
        }
        block = find(wanted);
    }
    take_out(block);
    trim(block, wanted);
    return (char *)block + HEADER;
}

void free(void *memory) {
    if (memory)
        release(block_of(memory));
}

void *calloc(size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total)) {
        errno = ENOMEM;
        return NULL;
    }
    void *memory = malloc(total);
    if (memory)
        memset(memory, 0, total);
    return memory;
}

void *realloc(void *memory, size_t size) {
    if (!memory)
        return malloc(size);
    if (size > LARGEST) {
        errno = ENOMEM;
        return NULL;
    }
    block_t *block = block_of(memory);
    uint32_t wanted = rounded(size), held = size_of(block);
    block_t *next = after(block);
    if (wanted > held && next != last_block && is_free(next) && held + HEADER + size_of(next) >= wanted) {
        take_out(next);
        block->size += HEADER + next->size;
        after(block)->before = block;
        held = size_of(block);
    }
    if (wanted <= held) {
        trim(block, wanted);
        return memory;
    }
    void *moved = malloc(size);
    if (!moved)
        return NULL;
    memcpy(moved, memory, held);
    free(memory);
    return moved;
}

size_t malloc_usable_size(void *memory) {
    return memory ? size_of(block_of(memory)) : 0;
}

// The interface of the C library that nothing here needs; it must not fall back to the other allocator.
void *aligned_alloc(size_t alignment, size_t size) {
    return alignment <= ALIGNMENT ? malloc(size) : NULL;
}

// Forgets the gaps between blocks, so that what is allocated from now on lies together behind them. After this the memory image is taken:
// a gap that is filled would be a page to restore.
static void leave_gaps(void) {
    block_t *top = last_block->before;
    memset(free_blocks, 0, sizeof free_blocks);
    memset(step_map, 0, sizeof step_map);
    level_map = 0;
    for (block_t *block = top; block; block = block->before) {
        if (block != top)
            block->size &= ~FREE;
    }
    if (top && is_free(top))
        insert(top);
}
