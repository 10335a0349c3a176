// Strings: which functions of the C library are too slow?
//
// Those that go through a text byte by byte. CPython's tokenizer measures and copies the rest of the
// source for each expression of an f-string. These look at 16 bytes at a time.

#include <wasm_simd128.h>

#define FAST __attribute__((visibility("default"), target("simd128")))

enum { BLOCK = 16 };

FAST size_t repaired_strlen(const char *text) {
    // An aligned block never goes beyond the memory.
    size_t before = (size_t)text % BLOCK;
    const char *place = text - before;
    unsigned zeros = wasm_i8x16_bitmask(wasm_i8x16_eq(wasm_v128_load(place), wasm_i8x16_splat(0))) >> before;
    if (zeros)
        return __builtin_ctz(zeros);
    v128_t found;
    do {
        place += BLOCK;
        found = wasm_i8x16_eq(wasm_v128_load(place), wasm_i8x16_splat(0));
    } while (!wasm_v128_any_true(found));
    return place - text + __builtin_ctz(wasm_i8x16_bitmask(found));
}

FAST void *repaired_memchr(const void *bytes, int wanted, size_t length) {
    const unsigned char *place = bytes;
    v128_t pattern = wasm_i8x16_splat((char)wanted);
    for (; length >= BLOCK; place += BLOCK, length -= BLOCK) {
        v128_t found = wasm_i8x16_eq(wasm_v128_load(place), pattern);
        if (wasm_v128_any_true(found))
            return (void *)(place + __builtin_ctz(wasm_i8x16_bitmask(found)));
    }
    for (; length; place++, length--)
        if (*place == (unsigned char)wanted)
            return (void *)place;
    return 0;
}

FAST char *repaired_strncpy(char *to, const char *from, size_t length) {
    const char *end = repaired_memchr(from, 0, length);
    size_t there = end ? (size_t)(end - from) : length;
    __builtin_memcpy(to, from, there);
    __builtin_memset(to + there, 0, length - there);
    return to;
}

FAST int repaired_memcmp(const void *one, const void *other, size_t length) {
    const unsigned char *left = one, *right = other;
    for (; length >= BLOCK; left += BLOCK, right += BLOCK, length -= BLOCK) {
        v128_t equal = wasm_i8x16_eq(wasm_v128_load(left), wasm_v128_load(right));
        if (!wasm_i8x16_all_true(equal)) {
            int place = __builtin_ctz(~wasm_i8x16_bitmask(equal));
            return left[place] - right[place];
        }
    }
    for (; length >= 4; left += 4, right += 4, length -= 4) {
        unsigned a, b;
        __builtin_memcpy(&a, left, 4);
        __builtin_memcpy(&b, right, 4);
        if (a != b)
            return __builtin_bswap32(a) < __builtin_bswap32(b) ? -1 : 1;
    }
    for (; length; left++, right++, length--)
        if (*left != *right)
            return *left - *right;
    return 0;
}
