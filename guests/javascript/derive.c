//! Keys from passwords: how do PBKDF2 (RFC 8018) and scrypt (RFC 7914) run at the speed of compiled code?

// The states of both hashes of an HMAC after the key.
typedef struct {
    hash_t inner, outer;
} hmac_t;

static void start_hash(hash_t *hash, uint32_t kind) {
    *hash = (hash_t){.kind = kind};
    memcpy(hash->words, hash_starts[kind], sizeof hash->words);
}

static void start_hmac(hmac_t *hmac, uint32_t kind, const uint8_t *key, size_t length) {
    uint8_t block[128] = {0}, padded[128];
    hash_t hash;
    start_hash(&hash, kind);
    uint32_t size = block_length(&hash);
    if (length > size) {
        take(&hash, key, length);
        end_hash(&hash, block);
    } else if (length) {
        memcpy(block, key, length);
    }
    start_hash(&hmac->inner, kind);
    start_hash(&hmac->outer, kind);
    for (uint32_t i = 0; i < size; i++)
        padded[i] = block[i] ^ 0x36;
    take(&hmac->inner, padded, size);
    for (uint32_t i = 0; i < size; i++)
        padded[i] = block[i] ^ 0x5c;
    take(&hmac->outer, padded, size);
}

static void end_hmac(const hmac_t *hmac, hash_t *inner, uint8_t *digest) {
    end_hash(inner, digest);
    hash_t outer = hmac->outer;
    take(&outer, digest, digest_lengths[outer.kind]);
    end_hash(&outer, digest);
}

typedef struct {
    const uint8_t *bytes;
    size_t length;
} bytes_t;

static void pbkdf2(uint32_t kind, bytes_t password, bytes_t salt, uint32_t rounds, uint8_t *out, size_t length) {
    hmac_t hmac;
    start_hmac(&hmac, kind, password.bytes, password.length);
    uint32_t size = digest_lengths[kind];
    for (uint32_t number = 1; length; number++) {
        const uint8_t counter[] = {number >> 24, number >> 16, number >> 8, number};
        uint8_t last[64], sum[64];
        hash_t inner = hmac.inner;
        take(&inner, salt.bytes, salt.length);
        take(&inner, counter, sizeof counter);
        end_hmac(&hmac, &inner, last);
        memcpy(sum, last, size);
        for (uint32_t round = 1; round < rounds; round++) {
            inner = hmac.inner;
            take(&inner, last, size);
            end_hmac(&hmac, &inner, last);
            for (uint32_t i = 0; i < size; i++)
                sum[i] ^= last[i];
        }
        size_t part = length < size ? length : size;
        memcpy(out, sum, part);
        out += part;
        length -= part;
    }
}

static void salsa_quarter(uint32_t *words, unsigned a, unsigned b, unsigned c, unsigned d) {
    words[b] ^= left32(words[a] + words[d], 7);
    words[c] ^= left32(words[b] + words[a], 9);
    words[d] ^= left32(words[c] + words[b], 13);
    words[a] ^= left32(words[d] + words[c], 18);
}

static void salsa8(uint32_t *block) {
    uint32_t words[16];
    memcpy(words, block, sizeof words);
    for (unsigned round = 0; round < 8; round += 2) {
        for (unsigned i = 0; i < 4; i++)
            salsa_quarter(words, 5 * i, (5 * i + 4) % 16, (5 * i + 8) % 16, (5 * i + 12) % 16);
        for (unsigned i = 0; i < 4; i++)
            salsa_quarter(words, 5 * i, 4 * i + (i + 1) % 4, 4 * i + (i + 2) % 4, 4 * i + (i + 3) % 4);
    }
    for (unsigned i = 0; i < 16; i++)
        block[i] += words[i];
}

// Mixes the 2 * r blocks in `from` into `to`.
static void mix_blocks(const uint32_t *from, uint32_t *to, uint32_t r) {
    uint32_t block[16];
    memcpy(block, from + (2 * r - 1) * 16, sizeof block);
    for (uint32_t i = 0; i < 2 * r; i++) {
        for (unsigned j = 0; j < 16; j++)
            block[j] ^= from[i * 16 + j];
        salsa8(block);
        memcpy(to + (i / 2 + (i % 2 ? r : 0)) * 16, block, sizeof block);
    }
}

// Mixes one block of 128 * r bytes; `table` holds n of them, `spare` two.
static void mix_rows(uint32_t *row, uint32_t n, uint32_t r, uint32_t *table, uint32_t *spare) {
    size_t words = 32 * (size_t)r;
    uint32_t *now = spare, *next = spare + words;
    memcpy(now, row, words * 4);
    for (uint32_t i = 0; i < n; i++) {
        memcpy(table + i * words, now, words * 4);
        mix_blocks(table + i * words, now, r);
    }
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t *chosen = table + (now[words - 16] & (n - 1)) * words;
        for (size_t j = 0; j < words; j++)
            now[j] ^= chosen[j];
        mix_blocks(now, next, r);
        uint32_t *swapped = now;
        now = next, next = swapped;
    }
    memcpy(row, now, words * 4);
}

static bool bytes_from(JSContext *ctx, JSValueConst value, bytes_t *bytes) {
    bytes->bytes = JS_GetUint8Array(ctx, &bytes->length, value);
    return bytes->bytes || !JS_HasException(ctx);
}

static bool numbers_from(JSContext *ctx, JSValueConst *values, uint32_t *numbers, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (JS_ToUint32(ctx, &numbers[i], values[i]))
            return false;
    }
    return true;
}

// pbkdf2(kind, password, salt, rounds, length): the key.
static JSValue native_pbkdf2(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    bytes_t password, salt;
    uint32_t kind, numbers[2];
    if (JS_ToUint32(ctx, &kind, argv[0]) || !bytes_from(ctx, argv[1], &password) || !bytes_from(ctx, argv[2], &salt) ||
        !numbers_from(ctx, &argv[3], numbers, 2))
        return JS_EXCEPTION;
    if (kind > SHA512)
        return JS_ThrowRangeError(ctx, "no such digest");
    uint8_t *out = js_malloc(ctx, numbers[1] + 1);
    if (!out)
        return JS_EXCEPTION;
    pbkdf2(kind, password, salt, numbers[0], out, numbers[1]);
    JSValue key = JS_NewUint8ArrayCopy(ctx, out, numbers[1]);
    js_free(ctx, out);
    return key;
}

// scrypt(password, salt, n, r, p, length): the key; the caller has checked the parameters.
static JSValue native_scrypt(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    bytes_t password, salt;
    uint32_t numbers[4];
    if (!bytes_from(ctx, argv[0], &password) || !bytes_from(ctx, argv[1], &salt) || !numbers_from(ctx, &argv[2], numbers, 4))
        return JS_EXCEPTION;
    uint32_t n = numbers[0], r = numbers[1], p = numbers[2], length = numbers[3];
    if (n < 2 || n & (n - 1) || !r || !p || (uint64_t)128 * r * ((uint64_t)n + p + 2) > INT32_MAX)
        return JS_ThrowRangeError(ctx, "Invalid scrypt params");
    size_t words = 32 * (size_t)r;
    uint32_t *memory = js_malloc(ctx, 4 * words * ((size_t)n + p + 2));
    uint8_t *out = js_malloc(ctx, length + 1);
    JSValue key = JS_EXCEPTION;
    if (memory && out) {
        uint32_t *rows = memory + words * n, *spare = rows + words * p;
        pbkdf2(SHA256, password, salt, 1, (uint8_t *)rows, 4 * words * p);
        for (uint32_t i = 0; i < p; i++)
            mix_rows(rows + i * words, n, r, memory, spare);
        pbkdf2(SHA256, password, (bytes_t){(const uint8_t *)rows, 4 * words * p}, 1, out, length);
        key = JS_NewUint8ArrayCopy(ctx, out, length);
    }
    js_free(ctx, memory);
    js_free(ctx, out);
    return key;
}
