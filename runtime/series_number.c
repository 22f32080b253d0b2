/* series_number.c: see series_number.h.
 *
 * INTEGERS: u8 way, then
 *   SAME: nothing; CONSTANT: zigzag varint
 *   OFFSETS: zigzag varint least, blocks of v - least
 *   DELTA: zigzag varint first, blocks of zigzag(v[i] - v[i-1]), i >= 1
 *   DELTA2: first, first difference, blocks of zigzag(d[i] - d[i-1]), i >= 2
 *   A block: u8 width in bits (0..64), then 64 numbers (the last block has what
 *   is left) packed from the low bits up, to whole bytes.
 * FLOATS: u8 way, then
 *   DECIMAL: u8 exponent, varint exceptions, each varint index and its bits;
 *     then the integers of n (an exception repeats the number before)
 *   XOR: first value, varint bytes, bits: 0 as before; 10 the same window;
 *     11 and 6 bits of leading zeros, 6 bits of length - 1, the window */
#include "series_number.h"

#include "wire.h"

#include <math.h>

enum { BLOCK = 64 };
enum { SAME, CONSTANT, OFFSETS, DELTA, DELTA2 };
enum { DECIMAL, XOR };

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (~(v & 1) + 1));
}

static uint32_t width_of(uint64_t v)
{
    return v == 0 ? 0 : 64 - (uint32_t)__builtin_clzll(v);
}

static uint32_t varint_bytes(uint64_t v)
{
    uint32_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

void pack_put_varint(struct text *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        text_u8(to, (uint8_t)(v | 0x80));
    text_u8(to, (uint8_t)v);
}

uint64_t pack_varint(struct pack_reader *r)
{
    uint64_t v = 0;
    for (uint32_t shift = 0; shift < 64 && r->at < r->end; shift += 7) {
        uint8_t byte = *r->at++;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return v;
    }
    r->failed = true;
    return 0;
}

static uint8_t read_u8(struct pack_reader *r)
{
    if (r->at < r->end)
        return *r->at++;
    r->failed = true;
    return 0;
}

/* ---- integers ---- */

/* Number i of the way's blocks. */
static uint64_t number_at(const int64_t *v, uint32_t i, int way, int64_t least)
{
    /* Differences wrap around, and so does their sum. */
    uint64_t d = (uint64_t)v[i];
    if (way == OFFSETS)
        return d - (uint64_t)least;
    d -= (uint64_t)v[i - 1];
    if (way == DELTA2)
        d -= (uint64_t)v[i - 1] - (uint64_t)v[i - 2];
    return zigzag((int64_t)d);
}

static uint32_t first_of(int way)
{
    return way == OFFSETS ? 0 : way == DELTA ? 1 : 2;
}

static size_t blocks_bytes(const int64_t *v, uint32_t count, int way,
                           int64_t least)
{
    size_t bytes = 0;
    for (uint32_t i = first_of(way); i < count; i += BLOCK) {
        uint32_t end = i + BLOCK < count ? i + BLOCK : count;
        uint64_t all = 0;
        for (uint32_t k = i; k < end; k++)
            all |= number_at(v, k, way, least);
        bytes += 1 + ((size_t)width_of(all) * (end - i) + 7) / 8;
    }
    return bytes;
}

static void pack_block(struct text *to, const uint64_t *n, uint32_t count)
{
    uint64_t all = 0;
    for (uint32_t i = 0; i < count; i++)
        all |= n[i];
    uint32_t width = width_of(all);
    size_t bytes = ((size_t)width * count + 7) / 8;
    text_u8(to, (uint8_t)width);
    if (bytes == 0 || !text_room(to, bytes))
        return;
    uint8_t *at = (uint8_t *)to->data + to->used;
    memset(at, 0, bytes);
    uint32_t bit = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t v = n[i];
        for (uint32_t left = width; left > 0;) {
            uint32_t room = 8 - bit % 8;
            uint32_t take = left < room ? left : room;
            at[bit / 8] |= (uint8_t)((v & ((1u << take) - 1)) << bit % 8);
            v >>= take;
            bit += take;
            left -= take;
        }
    }
    to->used += bytes;
}

static bool unpack_block(struct pack_reader *r, uint64_t *n, uint32_t count)
{
    uint32_t width = read_u8(r);
    size_t bytes = ((size_t)width * count + 7) / 8;
    if (r->failed || width > 64 || bytes > (size_t)(r->end - r->at)) {
        r->failed = true;
        return false;
    }
    uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    size_t bit = 0;
    for (uint32_t i = 0; i < count; i++, bit += width) {
        size_t byte = bit / 8, last = bytes - byte;
        uint32_t shift = bit % 8;
        uint64_t low = 0, high = 0;
        if (width == 0) {
            n[i] = 0;
            continue;
        }
        memcpy(&low, r->at + byte, last < 8 ? last : 8);
        low = WIRE_SWAP(64, low) >> shift;
        if (shift + width > 64) {
            high = r->at[byte + 8];
            low |= high << (64 - shift);
        }
        n[i] = low & mask;
    }
    r->at += bytes;
    return true;
}

static void pack_way(struct text *to, const int64_t *v, uint32_t count,
                     int way, int64_t least)
{
    uint64_t n[BLOCK];
    text_u8(to, (uint8_t)way);
    pack_put_varint(to, zigzag(way == OFFSETS ? least : v[0]));
    if (way == DELTA2)
        pack_put_varint(to, zigzag((int64_t)((uint64_t)v[1] -
                                             (uint64_t)v[0])));
    for (uint32_t i = first_of(way); i < count; i += BLOCK) {
        uint32_t end = i + BLOCK < count ? i + BLOCK : count;
        for (uint32_t k = i; k < end; k++)
            n[k - i] = number_at(v, k, way, least);
        pack_block(to, n, end - i);
    }
}

static bool all_same(const int64_t *v, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        if (v[i] != v[0])
            return false;
    return true;
}

void pack_integers(struct text *to, const int64_t *v, uint32_t count,
                   const int64_t *same)
{
    if (count == 0)
        return;
    if (same && memcmp(v, same, count * sizeof *v) == 0) {
        text_u8(to, SAME);
        return;
    }
    if (all_same(v, count)) {
        text_u8(to, CONSTANT);
        pack_put_varint(to, zigzag(v[0]));
        return;
    }
    int64_t least = v[0];
    for (uint32_t i = 1; i < count; i++)
        least = v[i] < least ? v[i] : least;
    int best = OFFSETS;
    size_t bytes = varint_bytes(zigzag(least)) +
                   blocks_bytes(v, count, OFFSETS, least);
    for (int way = DELTA; way <= DELTA2 && count > 2; way++) {
        size_t b = varint_bytes(zigzag(v[0])) +
                   blocks_bytes(v, count, way, least);
        if (way == DELTA2)
            b += varint_bytes(zigzag((int64_t)((uint64_t)v[1] -
                                               (uint64_t)v[0])));
        if (b < bytes) {
            bytes = b;
            best = way;
        }
    }
    pack_way(to, v, count, best, least);
}

static void add_up(int64_t *v, uint32_t i, int way, uint64_t n, int64_t least)
{
    if (way == OFFSETS) {
        v[i] = (int64_t)(n + (uint64_t)least);
        return;
    }
    uint64_t d = (uint64_t)unzigzag(n);
    if (way == DELTA2)
        d += (uint64_t)v[i - 1] - (uint64_t)v[i - 2];
    v[i] = (int64_t)((uint64_t)v[i - 1] + d);
}

bool unpack_integers(struct pack_reader *r, int64_t *v, uint32_t count,
                     const int64_t *same)
{
    uint64_t n[BLOCK];
    if (count == 0)
        return !r->failed;
    int way = read_u8(r);
    if (way == SAME && same) {
        memcpy(v, same, count * sizeof *v);
        return !r->failed;
    }
    int64_t first = unzigzag(pack_varint(r));
    if (r->failed || way == SAME || way > DELTA2 ||
        (way == DELTA2 && count < 2)) {
        r->failed = true;
        return false;
    }
    v[0] = first;
    if (way == CONSTANT) {
        for (uint32_t i = 1; i < count; i++)
            v[i] = first;
        return true;
    }
    if (way == DELTA2)
        v[1] = (int64_t)((uint64_t)first +
                         (uint64_t)unzigzag(pack_varint(r)));
    for (uint32_t i = first_of(way); i < count && !r->failed; i += BLOCK) {
        uint32_t end = i + BLOCK < count ? i + BLOCK : count;
        if (!unpack_block(r, n, end - i))
            return false;
        for (uint32_t k = i; k < end; k++)
            add_up(v, k, way, n[k - i], first);
    }
    return !r->failed;
}

/* ---- floats as decimals ---- */

enum { EXPONENT_MAX = 14, EXCEPTION_SHARE = 16 };
static const double powers[EXPONENT_MAX + 1] = {
    1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6, 1e7,
    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14};

static uint64_t bits_of(double v, uint32_t bytes)
{
    uint64_t wide;
    uint32_t narrow;
    float f = (float)v;
    if (bytes == 8) {
        memcpy(&wide, &v, sizeof wide);
        return wide;
    }
    memcpy(&narrow, &f, sizeof narrow);
    return narrow;
}

static double value_of(uint64_t bits, uint32_t bytes)
{
    double wide;
    float f;
    uint32_t narrow = (uint32_t)bits;
    if (bytes == 8) {
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    }
    memcpy(&f, &narrow, sizeof f);
    return (double)f;
}

/* Is the value exactly *n / 10^e? */
static bool decimal(uint64_t bits, uint32_t bytes, uint32_t e, int64_t *n)
{
    double scaled = value_of(bits, bytes) * powers[e];
    if (!(fabs(scaled) < 9007199254740992.0)) /* 2^53; NaN is not */
        return false;
    *n = (int64_t)llrint(scaled);
    return bits_of((double)*n / powers[e], bytes) == bits;
}

/* The exponent that suits the first values best. */
static uint32_t pick_exponent(const uint64_t *bits, uint32_t count,
                              uint32_t bytes)
{
    enum { LOOK_AT = 32 };
    uint32_t best = 0, most = 0, looked = count < LOOK_AT ? count : LOOK_AT;
    uint32_t last = bytes == 8 ? EXPONENT_MAX : 8;
    for (uint32_t e = 0; e <= last && most < looked; e++) {
        uint32_t fit = 0;
        int64_t n;
        for (uint32_t i = 0; i < looked; i++)
            fit += decimal(bits[(uint64_t)i * count / looked], bytes, e, &n);
        if (fit > most) {
            most = fit;
            best = e;
        }
    }
    return best;
}

static bool pack_decimals(struct text *to, const uint64_t *bits,
                          uint32_t count, uint32_t bytes, int64_t *n)
{
    uint32_t e = pick_exponent(bits, count, bytes), exceptions = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!decimal(bits[i], bytes, e, &n[i])) {
            n[i] = i ? n[i - 1] : 0;
            exceptions++;
        }
    if (exceptions > count / EXCEPTION_SHARE)
        return false;
    text_u8(to, DECIMAL);
    text_u8(to, (uint8_t)e);
    pack_put_varint(to, exceptions);
    int64_t again;
    for (uint32_t i = 0; i < count && exceptions > 0; i++)
        if (!decimal(bits[i], bytes, e, &again)) {
            pack_put_varint(to, i);
            if (bytes == 8)
                text_u64(to, bits[i]);
            else
                text_u32(to, (uint32_t)bits[i]);
            exceptions--;
        }
    pack_integers(to, n, count, NULL);
    return true;
}

static uint64_t read_bits(struct pack_reader *r, uint32_t bytes)
{
    if ((size_t)(r->end - r->at) < bytes) {
        r->failed = true;
        return 0;
    }
    uint64_t bits = bytes == 8 ? wire_get64(r->at) : wire_get32(r->at);
    r->at += bytes;
    return bits;
}

static bool unpack_decimals(struct pack_reader *r, uint64_t *bits,
                            uint32_t count, uint32_t bytes, int64_t *n)
{
    uint32_t e = read_u8(r);
    uint64_t exceptions = pack_varint(r);
    if (r->failed || e > EXPONENT_MAX || exceptions > count) {
        r->failed = true;
        return false;
    }
    struct pack_reader list = *r;
    for (uint64_t k = 0; k < exceptions; k++) {
        (void)pack_varint(r);
        (void)read_bits(r, bytes);
    }
    if (r->failed || !unpack_integers(r, n, count, NULL))
        return false;
    for (uint32_t i = 0; i < count; i++)
        bits[i] = bits_of((double)n[i] / powers[e], bytes);
    for (uint64_t k = 0; k < exceptions; k++) {
        uint64_t i = pack_varint(&list);
        uint64_t b = read_bits(&list, bytes);
        if (i >= count) {
            r->failed = true;
            return false;
        }
        bits[i] = b;
    }
    return true;
}

/* ---- floats by XOR ---- */

struct bits {
    struct text *to;
    uint64_t word;
    uint32_t used;
};

static void bits_put(struct bits *b, uint64_t v, uint32_t count)
{
    while (count > 0) {
        uint32_t room = 64 - b->used, take = count < room ? count : room;
        uint64_t part = take == 64 ? v : v & ((UINT64_C(1) << take) - 1);
        b->word |= part << b->used;
        b->used += take;
        v = take == 64 ? 0 : v >> take;
        count -= take;
        if (b->used == 64) {
            text_u64(b->to, b->word);
            b->word = 0;
            b->used = 0;
        }
    }
}

static void bits_end(struct bits *b)
{
    for (; b->used > 0; b->used -= b->used < 8 ? b->used : 8) {
        text_u8(b->to, (uint8_t)b->word);
        b->word >>= 8;
    }
}

static uint64_t bits_get(const uint8_t *from, size_t bytes, uint64_t *bit,
                         uint32_t count, bool *failed)
{
    uint64_t v = 0;
    if (*bit + count > bytes * 8) {
        *failed = true;
        return 0;
    }
    for (uint32_t done = 0; done < count;) {
        uint32_t room = 8 - (uint32_t)(*bit % 8);
        uint32_t take = count - done < room ? count - done : room;
        uint64_t part = (uint64_t)(from[*bit / 8] >> *bit % 8) &
                        ((1u << take) - 1);
        v |= part << done;
        done += take;
        *bit += take;
    }
    return v;
}

static void pack_xor(struct text *to, const uint64_t *v, uint32_t count,
                     uint32_t bytes)
{
    struct text body = TEXT_INIT;
    struct bits b = {&body, 0, 0};
    uint32_t lead = 64, tail = 0; /* the window; none yet */
    for (uint32_t i = 1; i < count; i++) {
        uint64_t x = v[i] ^ v[i - 1];
        if (x == 0) {
            bits_put(&b, 0, 1);
            continue;
        }
        uint32_t l = (uint32_t)__builtin_clzll(x);
        uint32_t t = (uint32_t)__builtin_ctzll(x);
        if (lead < 64 && l >= lead && t >= tail) {
            bits_put(&b, 1, 2);
            bits_put(&b, x >> tail, 64 - lead - tail);
            continue;
        }
        lead = l;
        tail = t;
        bits_put(&b, 3, 2);
        bits_put(&b, lead, 6);
        bits_put(&b, 64 - lead - tail - 1, 6);
        bits_put(&b, x >> tail, 64 - lead - tail);
    }
    bits_end(&b);
    text_u8(to, XOR);
    if (bytes == 8)
        text_u64(to, v[0]);
    else
        text_u32(to, (uint32_t)v[0]);
    pack_put_varint(to, body.used);
    text_add(to, body.data, body.used);
    to->failed = to->failed || body.failed;
    text_free(&body);
}

static bool unpack_xor(struct pack_reader *r, uint64_t *v, uint32_t count,
                       uint32_t bytes)
{
    v[0] = read_bits(r, bytes);
    uint64_t body = pack_varint(r), bit = 0;
    uint32_t lead = 64, tail = 0;
    if (r->failed || body > (uint64_t)(r->end - r->at)) {
        r->failed = true;
        return false;
    }
    const uint8_t *from = r->at;
    for (uint32_t i = 1; i < count && !r->failed; i++) {
        v[i] = v[i - 1];
        if (!bits_get(from, body, &bit, 1, &r->failed))
            continue;
        if (bits_get(from, body, &bit, 1, &r->failed)) {
            lead = (uint32_t)bits_get(from, body, &bit, 6, &r->failed);
            uint32_t n = (uint32_t)bits_get(from, body, &bit, 6, &r->failed);
            if (lead + n + 1 > 64)
                r->failed = true;
            tail = 64 - lead - n - 1;
        }
        if (r->failed || lead == 64) {
            r->failed = true;
            return false;
        }
        uint32_t n = 64 - lead - tail;
        v[i] ^= bits_get(from, body, &bit, n, &r->failed) << tail;
    }
    r->at += body;
    return !r->failed;
}

void pack_floats(struct text *to, const uint64_t *bits, uint32_t count,
                 uint32_t bytes, int64_t *scratch)
{
    struct text one = TEXT_INIT, other = TEXT_INIT;
    if (count == 0)
        return;
    bool exact = pack_decimals(&one, bits, count, bytes, scratch);
    pack_xor(&other, bits, count, bytes);
    struct text *best = exact && one.used <= other.used ? &one : &other;
    text_add(to, best->data, best->used);
    to->failed = to->failed || one.failed || other.failed;
    text_free(&one);
    text_free(&other);
}

bool unpack_floats(struct pack_reader *r, uint64_t *bits, uint32_t count,
                   uint32_t bytes, int64_t *scratch)
{
    if (count == 0)
        return !r->failed;
    int way = read_u8(r);
    if (!r->failed && way == DECIMAL)
        return unpack_decimals(r, bits, count, bytes, scratch);
    if (!r->failed && way == XOR)
        return unpack_xor(r, bits, count, bytes);
    r->failed = true;
    return false;
}
