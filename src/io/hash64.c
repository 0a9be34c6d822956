/* hash64.c - four sums side by side over stripes of 32 bytes, then the rest, then mixing. */
#include "io/hash64.h"

#include "io/bytes.h"

enum { STRIPE = 32 };

static const uint64_t prime1 = 0x9E3779B185EBCA87, prime2 = 0xC2B2AE3D27D4EB4F,
                      prime3 = 0x165667B19E3779F9, prime4 = 0x85EBCA77C2B2AE63,
                      prime5 = 0x27D4EB2F165667C5;

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline uint64_t round_of(uint64_t sum, uint64_t lane)
{
    return rotate(sum + lane * prime2, 31) * prime1;
}

static uint64_t hash_stripes(const unsigned char *p, size_t stripes, uint64_t seed)
{
    uint64_t a = seed + prime1 + prime2, b = seed + prime2, c = seed, d = seed - prime1;
    for (; stripes; stripes--, p += STRIPE) {
        a = round_of(a, rv_le64(p));
        b = round_of(b, rv_le64(p + 8));
        c = round_of(c, rv_le64(p + 16));
        d = round_of(d, rv_le64(p + 24));
    }
    uint64_t sum = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    const uint64_t lanes[] = { a, b, c, d };
    for (int i = 0; i < 4; i++)
        sum = (sum ^ round_of(0, lanes[i])) * prime1 + prime4;
    return sum;
}

static uint64_t hash_rest(const unsigned char *p, size_t n, uint64_t sum)
{
    for (; n >= 8; n -= 8, p += 8)
        sum = rotate(sum ^ round_of(0, rv_le64(p)), 27) * prime1 + prime4;
    for (; n >= 4; n -= 4, p += 4)
        sum = rotate(sum ^ rv_le32(p) * prime1, 23) * prime2 + prime3;
    for (; n; n--, p++)
        sum = rotate(sum ^ *p * prime5, 11) * prime1;
    return sum;
}

uint64_t rv_hash64(const void *data, size_t size, uint64_t seed)
{
    const unsigned char *p = data;
    const size_t stripes = size / STRIPE, done = stripes * STRIPE;
    uint64_t sum = stripes ? hash_stripes(p, stripes, seed) : seed + prime5;
    sum += size;
    sum = size > done ? hash_rest(p + done, size - done, sum) : sum;
    sum = (sum ^ sum >> 33) * prime2;
    sum = (sum ^ sum >> 29) * prime3;
    return sum ^ sum >> 32;
}
