/*
 * CRC-32C (Castagnoli, RFC 3720 B.4), reflected, polynomial 0x82f63b78: the processor's instruction
 * where there is one, else slicing by 8.
 *
 * A CRC table is linear over GF(2): the entry for a byte is the exclusive or of the entries for its
 * bits. So eight numbers make a table, and the compiler builds all of them as constants.
 */
#include "spool/bytes.h"
#include "spool/format.h"

#include <string.h>

#define BIT(b, i, e) (((i) >> (b)&1u) ? (e) : 0u)
#define E1(i, a, b, c, d, e, f, g, h)                                                          \
    (BIT(0, i, a) ^ BIT(1, i, b) ^ BIT(2, i, c) ^ BIT(3, i, d) ^ BIT(4, i, e) ^ BIT(5, i, f) ^ \
     BIT(6, i, g) ^ BIT(7, i, h))
#define E4(i, ...)                                                                   \
    E1((i) + 0u, __VA_ARGS__), E1((i) + 1u, __VA_ARGS__), E1((i) + 2u, __VA_ARGS__), \
        E1((i) + 3u, __VA_ARGS__)
#define E16(i, ...)                                                                  \
    E4((i) + 0u, __VA_ARGS__), E4((i) + 4u, __VA_ARGS__), E4((i) + 8u, __VA_ARGS__), \
        E4((i) + 12u, __VA_ARGS__)
#define E64(i, ...)                                                                       \
    E16((i) + 0u, __VA_ARGS__), E16((i) + 16u, __VA_ARGS__), E16((i) + 32u, __VA_ARGS__), \
        E16((i) + 48u, __VA_ARGS__)
#define E256(...)                                                            \
    {                                                                        \
        E64(0u, __VA_ARGS__), E64(64u, __VA_ARGS__), E64(128u, __VA_ARGS__), \
            E64(192u, __VA_ARGS__)                                           \
    }

/* slices[k][b]: the CRC of byte b followed by k zero bytes; each row lists b = 1, 2, 4 … 128. */
static const uint32_t slices[8][256] = {
    E256(0xf26b8303u, 0xe13b70f7u, 0xc79a971fu, 0x8ad958cfu, 0x105ec76fu, 0x20bd8edeu, 0x417b1dbcu,
         0x82f63b78u),
    E256(0x13a29877u, 0x274530eeu, 0x4e8a61dcu, 0x9d14c3b8u, 0x3fc5f181u, 0x7f8be302u, 0xff17c604u,
         0xfbc3faf9u),
    E256(0xa541927eu, 0x4f6f520du, 0x9edea41au, 0x38513ec5u, 0x70a27d8au, 0xe144fb14u, 0xc76580d9u,
         0x8b277743u),
    E256(0xdd45aab8u, 0xbf672381u, 0x7b2231f3u, 0xf64463e6u, 0xe964b13du, 0xd725148bu, 0xaba65fe7u,
         0x52a0c93fu),
    E256(0x38116facu, 0x7022df58u, 0xe045beb0u, 0xc5670b91u, 0x8f2261d3u, 0x1ba8b557u, 0x37516aaeu,
         0x6ea2d55cu),
    E256(0xef306b19u, 0xdb8ca0c3u, 0xb2f53777u, 0x6006181fu, 0xc00c303eu, 0x85f4168du, 0x0e045bebu,
         0x1c08b7d6u),
    E256(0x68032cc8u, 0xd0065990u, 0xa5e0c5d1u, 0x4e2dfd53u, 0x9c5bfaa6u, 0x3d5b83bdu, 0x7ab7077au,
         0xf56e0ef4u),
    E256(0x493c7d27u, 0x9278fa4eu, 0x211d826du, 0x423b04dau, 0x847609b4u, 0x0d006599u, 0x1a00cb32u,
         0x34019664u),
};

static uint32_t crc_sliced(uint32_t crc, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint32_t lo = crc ^ get_u32(p);
        uint32_t hi = get_u32(p + 4);
        crc = slices[7][lo & 255u] ^ slices[6][lo >> 8 & 255u] ^ slices[5][lo >> 16 & 255u] ^
              slices[4][lo >> 24] ^ slices[3][hi & 255u] ^ slices[2][hi >> 8 & 255u] ^
              slices[1][hi >> 16 & 255u] ^ slices[0][hi >> 24];
    }
    for (; n > 0; p++, n--)
        crc = crc >> 8 ^ slices[0][(crc ^ *p) & 255u];
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t crc_instruction(uint32_t crc, const uint8_t *p,
                                                                  size_t n)
{
    uint64_t wide = crc;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof(word));
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; n > 0; p++, n--)
        crc = __builtin_ia32_crc32qi(crc, *p);
    return crc;
}
#endif

uint32_t spool_crc32c(uint32_t crc, const void *p, size_t n)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_instruction(~crc, p, n);
#endif
    return spool_crc32c_portable(crc, p, n);
}

uint32_t spool_crc32c_portable(uint32_t crc, const void *p, size_t n)
{
    return ~crc_sliced(~crc, p, n);
}
