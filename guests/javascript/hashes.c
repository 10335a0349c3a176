//! Hash functions: how are the digests of `node:crypto` computed?
//!
//! MD5, SHA-1 and SHA-2 as their standards say (RFC 1321, FIPS 180-4). A state is a block of memory that the prelude holds as bytes.

enum { MD5, SHA1, SHA224, SHA256, SHA384, SHA512 };

typedef struct {
    uint32_t kind;
    uint32_t filled; // bytes waiting in `block`
    uint64_t total;  // bytes taken
    uint64_t words[8];
    uint8_t block[128];
} hash_t;

static const uint64_t hash_constants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538, 0x59f111f1b605d019,
    0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3,
    0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65, 0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b, 0xa2bfe8a14cf10364, 0xa81a664bbc423001,
    0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb,
    0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c, 0xd186b8c721c0c207,
    0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a,
    0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

static const uint64_t hash_starts[][8] = {
    [MD5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476},
    [SHA1] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0},
    [SHA224] = {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939, 0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4},
    [SHA256] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
    [SHA384] = {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939, 0x67332667ffc00b31, 0x8eb44a8768581511,
                0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4},
    [SHA512] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                0x1f83d9abfb41bd6b, 0x5be0cd19137e2179},
};

static const uint8_t digest_lengths[] = {[MD5] = 16, [SHA1] = 20, [SHA224] = 28, [SHA256] = 32, [SHA384] = 48, [SHA512] = 64};

static uint32_t block_length(const hash_t *hash) {
    return hash->kind >= SHA384 ? 128 : 64;
}

static uint32_t left32(uint32_t value, unsigned by) {
    return value << by | value >> (32 - by);
}

static uint32_t right32(uint32_t value, unsigned by) {
    return value >> by | value << (32 - by);
}

static uint64_t right64(uint64_t value, unsigned by) {
    return value >> by | value << (64 - by);
}

static uint64_t big_endian(const uint8_t *bytes, unsigned size) {
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

static void mix_md5(hash_t *hash) {
    static const uint8_t shifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    uint32_t a = hash->words[0], b = hash->words[1], c = hash->words[2], d = hash->words[3];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t mixed, at;
        switch (i / 16) {
        case 0: mixed = (b & c) | (~b & d); at = i; break;
        case 1: mixed = (d & b) | (~d & c); at = (5 * i + 1) % 16; break;
        case 2: mixed = b ^ c ^ d; at = (3 * i + 5) % 16; break;
        default: mixed = c ^ (b | ~d); at = 7 * i % 16;
        }
        uint32_t word;
        memcpy(&word, hash->block + at * 4, 4);
        uint32_t constant = (uint32_t)(int64_t)(fabs(sin(i + 1.0)) * 4294967296.0);
        uint32_t next = b + left32(a + mixed + constant + word, shifts[i / 16][i % 4]);
        a = d, d = c, c = b, b = next;
    }
    hash->words[0] = (uint32_t)(hash->words[0] + a);
    hash->words[1] = (uint32_t)(hash->words[1] + b);
    hash->words[2] = (uint32_t)(hash->words[2] + c);
    hash->words[3] = (uint32_t)(hash->words[3] + d);
}

static void mix_sha1(hash_t *hash) {
    uint32_t words[80];
    for (unsigned i = 0; i < 80; i++)
        words[i] = i < 16 ? (uint32_t)big_endian(hash->block + i * 4, 4) : left32(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
    uint32_t a = hash->words[0], b = hash->words[1], c = hash->words[2], d = hash->words[3], e = hash->words[4];
    for (unsigned i = 0; i < 80; i++) {
        uint32_t mixed = i < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                         : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                         : i < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc
                                  : (b ^ c ^ d) + 0xca62c1d6;
        uint32_t next = left32(a, 5) + mixed + e + words[i];
        e = d, d = c, c = left32(b, 30), b = a, a = next;
    }
    const uint32_t results[] = {a, b, c, d, e};
    for (unsigned i = 0; i < countof(results); i++)
        hash->words[i] = (uint32_t)(hash->words[i] + results[i]);
}

static void mix_sha256(hash_t *hash) {
    uint32_t words[64], v[8];
    for (unsigned i = 0; i < 64; i++) {
        if (i < 16) {
            words[i] = big_endian(hash->block + i * 4, 4);
            continue;
        }
        uint32_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + (right32(a, 7) ^ right32(a, 18) ^ a >> 3) + words[i - 7] + (right32(b, 17) ^ right32(b, 19) ^ b >> 10);
    }
    for (unsigned i = 0; i < 8; i++)
        v[i] = hash->words[i];
    for (unsigned i = 0; i < 64; i++) {
        uint32_t first = v[7] + (right32(v[4], 6) ^ right32(v[4], 11) ^ right32(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) +
                         (uint32_t)(hash_constants[i] >> 32) + words[i];
        uint32_t second = (right32(v[0], 2) ^ right32(v[0], 13) ^ right32(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += first;
        v[0] = first + second;
    }
    for (unsigned i = 0; i < 8; i++)
        hash->words[i] = (uint32_t)(hash->words[i] + v[i]);
}

static void mix_sha512(hash_t *hash) {
    uint64_t words[80], v[8];
    for (unsigned i = 0; i < 80; i++) {
        if (i < 16) {
            words[i] = big_endian(hash->block + i * 8, 8);
            continue;
        }
        uint64_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + (right64(a, 1) ^ right64(a, 8) ^ a >> 7) + words[i - 7] + (right64(b, 19) ^ right64(b, 61) ^ b >> 6);
    }
    memcpy(v, hash->words, sizeof v);
    for (unsigned i = 0; i < 80; i++) {
        uint64_t first = v[7] + (right64(v[4], 14) ^ right64(v[4], 18) ^ right64(v[4], 41)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) +
                         hash_constants[i] + words[i];
        uint64_t second = (right64(v[0], 28) ^ right64(v[0], 34) ^ right64(v[0], 39)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += first;
        v[0] = first + second;
    }
    for (unsigned i = 0; i < 8; i++)
        hash->words[i] += v[i];
}

static void mix(hash_t *hash) {
    if (hash->kind == MD5)
        mix_md5(hash);
    else if (hash->kind == SHA1)
        mix_sha1(hash);
    else if (hash->kind <= SHA256)
        mix_sha256(hash);
    else
        mix_sha512(hash);
    hash->filled = 0;
}

static void take(hash_t *hash, const uint8_t *bytes, size_t length) {
    uint32_t size = block_length(hash);
    hash->total += length;
    while (length) {
        size_t part = size - hash->filled < length ? size - hash->filled : length;
        memcpy(hash->block + hash->filled, bytes, part);
        hash->filled += part;
        bytes += part;
        length -= part;
        if (hash->filled == size)
            mix(hash);
    }
}

// Pads, and writes the digest.
static void end_hash(hash_t *hash, uint8_t *digest) {
    uint32_t size = block_length(hash), length_at = size - size / 8;
    uint64_t bits = hash->total * 8;
    hash->block[hash->filled++] = 0x80;
    if (hash->filled > length_at) {
        memset(hash->block + hash->filled, 0, size - hash->filled);
        mix(hash);
    }
    memset(hash->block + hash->filled, 0, size - hash->filled);
    for (unsigned i = 0; i < 8; i++)
        hash->block[hash->kind == MD5 ? size - 8 + i : size - 1 - i] = bits >> (8 * i);
    mix(hash);
    unsigned word = hash->kind >= SHA384 ? 8 : 4;
    for (unsigned i = 0; i < digest_lengths[hash->kind]; i++) {
        unsigned byte = hash->kind == MD5 ? i % word : word - 1 - i % word;
        digest[i] = hash->words[i / word] >> (8 * byte);
    }
}

static hash_t *hash_from(JSContext *ctx, JSValueConst value) {
    size_t length;
    hash_t *hash = (hash_t *)JS_GetUint8Array(ctx, &length, value);
    if (hash && length == sizeof(hash_t) && hash->kind <= SHA512 && hash->filled < block_length(hash))
        return hash;
    JS_ThrowTypeError(ctx, "not the state of a digest");
    return NULL;
}

// startHash(kind): a state.
static JSValue native_start_hash(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    hash_t hash = {0};
    if (JS_ToUint32(ctx, &hash.kind, argv[0]))
        return JS_EXCEPTION;
    if (hash.kind > SHA512)
        return JS_ThrowRangeError(ctx, "no such digest");
    memcpy(hash.words, hash_starts[hash.kind], sizeof hash.words);
    return JS_NewUint8ArrayCopy(ctx, (const uint8_t *)&hash, sizeof hash);
}

// feedHash(state, bytes)
static JSValue native_feed_hash(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    size_t length;
    hash_t *hash = hash_from(ctx, argv[0]);
    const uint8_t *bytes = hash ? JS_GetUint8Array(ctx, &length, argv[1]) : NULL;
    if (!bytes)
        return JS_HasException(ctx) ? JS_EXCEPTION : JS_UNDEFINED;
    take(hash, bytes, length);
    return JS_UNDEFINED;
}

// endHash(state): the digest; the state is of no use afterwards.
static JSValue native_end_hash(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv) {
    hash_t *hash = hash_from(ctx, argv[0]);
    if (!hash)
        return JS_EXCEPTION;
    uint8_t digest[64];
    end_hash(hash, digest);
    return JS_NewUint8ArrayCopy(ctx, digest, digest_lengths[hash->kind]);
}
