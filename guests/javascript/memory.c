//! Memory allocator (`malloc`): where does the engine's memory come from?
//!
//! The C library's own allocator here rounds to powers of two and never joins what was freed. This one is a two-level segregated fit:
//! constant time, close fits, and neighbours that are free are one block again. Nothing else grows the memory, so the heap is one piece
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
static block_t *last_block;  // where the heap ends and another block would begin; never written to, so that the image need not hold it
static block_t *before_last; // the block that ends there

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

static void set_before(block_t *block, block_t *before) {
    if (block == last_block)
        before_last = before;
    else
        block->before = before;
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
    set_before(next, rest);
    if (next != last_block && is_free(next)) {
        take_out(next);
        rest->size += HEADER + next->size;
        set_before(after(rest), rest);
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
    set_before(after(block), block);
    insert(block);
}

#define PAGE 65536u

// The first block: all memory behind the static data.
static void begin_heap(uint32_t start, uint32_t end) {
    block_t *first = (block_t *)(uintptr_t)start;
    first->before = NULL;
    first->size = end - start - 2 * HEADER;
    last_block = after(first);
    before_last = first;
    insert(first);
}

// The old end becomes the header of what was added.
static void extend_heap(uint32_t end) {
    block_t *added = last_block;
    added->before = before_last;
    added->size = end - (uint32_t)(uintptr_t)added - 2 * HEADER;
    last_block = after(added);
    before_last = added;
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

// Rounding up to a class, and what is grown beyond it, must not wrap.
#define LARGEST 0xE0000000u

// How the build places blocks while the guest is being initialised. A program writes to few of the blocks that it finds, if only to count
// references, but each costs a page that must be restored. The build therefore initialises the guest twice: a first time to see which
// blocks programs write to, a second time with those together. Both times the same calls come in the same order, so a block is known by
// the number of the call that makes it.
static struct {
    bool is_on;       // calls are counted, blocks stay where they are
    uint32_t calls;   // so far
    uint32_t limit;   // calls that the two arrays have room for
    uint8_t *places;  // for each call: 0 anywhere, 1 in the first region, 2 in the second
    void **log;       // what each call gave; null unless asked for
    block_t *regions[2]; // what is left of them
} layout;

// The front of what is left of a region; null where the block belongs to none or does not fit.
static block_t *take_place(uint32_t wanted) {
    uint32_t call = layout.calls++;
    uint8_t place = call < layout.limit ? layout.places[call] : 0;
    if (!place)
        return NULL;
    block_t *block = layout.regions[place - 1];
    if (size_of(block) < wanted + 2 * HEADER + SMALLEST)
        return NULL;
    block_t *next = after(block);
    uint32_t left = size_of(block) - wanted - HEADER;
    block->size = wanted;
    block_t *rest = after(block);
    rest->before = block;
    rest->size = left;
    set_before(next, rest);
    layout.regions[place - 1] = rest;
    return block;
}

static void *noted(void *memory) {
    if (layout.log && layout.calls <= layout.limit)
        layout.log[layout.calls - 1] = memory;
    return memory;
}

// A block that can be trimmed to exactly what is wanted, as the engine uses what it gets too much.
static block_t *find_exact(uint32_t wanted) {
    block_t *block = find(wanted);
    return block && size_of(block) - wanted == HEADER ? find(wanted + HEADER + SMALLEST) : block;
}

static void *allocate(uint32_t wanted) {
    block_t *block = layout.is_on ? find_exact(wanted) : find(wanted);
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

void *malloc(size_t size) {
    if (size > LARGEST) {
        errno = ENOMEM;
        return NULL;
    }
    uint32_t wanted = rounded(size);
    if (!layout.is_on)
        return allocate(wanted);
    block_t *block = take_place(wanted);
    return noted(block ? (char *)block + HEADER : allocate(wanted));
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
    // What fits depends on the neighbours, which the layout changes, and the same calls must come whatever the layout.
    if (layout.is_on) {
        void *moved = malloc(size);
        if (moved) {
            memcpy(moved, memory, wanted < held ? wanted : held);
            free(memory);
        }
        return moved;
    }
    if (wanted > held && next != last_block && is_free(next) && held + HEADER + size_of(next) >= wanted) {
        take_out(next);
        block->size += HEADER + next->size;
        set_before(after(block), block);
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

// Called by the build before the initialisation, with the number of calls that it has a plan for and the bytes of both regions. Gives the
// array `places`, for the build to fill.
__attribute__((export_name("plan-layout"))) uint8_t *plan_layout(uint32_t limit, uint32_t first, uint32_t second, int32_t is_logged) {
    layout.places = calloc(limit, 1);
    layout.log = is_logged ? calloc(limit, sizeof(void *)) : NULL;
    layout.limit = limit;
    layout.regions[0] = block_of(malloc(first));
    layout.regions[1] = block_of(malloc(second));
    layout.is_on = true;
    return layout.places;
}

// What the build reads after the initialisation.
__attribute__((export_name("layout-calls"))) uint32_t layout_calls(void) {
    return layout.calls;
}

__attribute__((export_name("layout-log"))) void **layout_log(void) {
    return layout.log;
}

static void end_layout(void) {
    if (!layout.is_on)
        return;
    layout.is_on = false;
    memset(layout.places, 0, layout.limit);
    free(layout.places);
    release(layout.regions[0]);
    release(layout.regions[1]);
}

// Forgets the gaps between blocks, so that what is allocated from now on lies together behind them. After this the memory image is taken:
// a gap that is filled would be a page to restore. What was in free blocks is cleared, so that it takes no room in the image.
static void leave_gaps(void) {
    block_t *top = before_last;
    memset(free_blocks, 0, sizeof free_blocks);
    memset(step_map, 0, sizeof step_map);
    level_map = 0;
    for (block_t *block = top; block; block = block->before) {
        if (!is_free(block))
            continue;
        memset((char *)block + HEADER, 0, size_of(block));
        if (block != top)
            block->size &= ~FREE;
    }
    if (top && is_free(top))
        insert(top);
}
