/*
 * The stored form of chunks (chunk.h draws it). Reading treats every byte as hostile: sizes are
 * bounded before anything is allocated, the decompressed size is known and capped, and the columns
 * must end exactly where the header says.
 */
#include "logs/chunk.h"

#include "base/err.h"

#include <string.h>
#include <zstd.h>

#define CODEC_VERSION 1u
#define CODEC_PLAIN 0u
#define CODEC_ZSTD 1u
#define HEADER_LEN 14u
#define ZSTD_LEVEL 3

/* Longest forms of one line's columns: 64 bits in LEB128, a byte, 17 bits in LEB128. */
#define TIME_BYTES_MAX 10u
#define LENGTH_BYTES_MAX 3u
#define LINE_META_MIN 3u
#define LINE_META_MAX (TIME_BYTES_MAX + 1u + LENGTH_BYTES_MAX)
#define BODY_BYTES_MAX ((size_t)CHUNK_LINES_MAX * LINE_META_MAX + CHUNK_BYTES_MAX)
/* Scratch memory beyond this is given back after use: a chunk of very many lines is rare. */
#define SCRATCH_KEEP (256u * 1024u)

struct chunk_codec {
    ZSTD_CCtx *compress; /* made when first needed */
    ZSTD_DCtx *decompress;
    struct buf scratch;
};

static const char STREAMS[3] = {STREAM_STDOUT, STREAM_STDERR, STREAM_SYSTEM};

int chunk_codec_new(struct chunk_codec **ret)
{
    struct chunk_codec *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    buf_init(&k->scratch, BODY_BYTES_MAX);
    *ret = k;
    return 0;
}

void chunk_codec_free(struct chunk_codec *k)
{
    if (!k)
        return;
    ZSTD_freeCCtx(k->compress);
    ZSTD_freeDCtx(k->decompress);
    buf_done(&k->scratch);
    free(k);
}

static void scratch_release(struct chunk_codec *k)
{
    if (k->scratch.cap > SCRATCH_KEEP)
        buf_done(&k->scratch);
}

static uint8_t *put_u32(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
    return p + 4;
}

static uint32_t get_u32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint8_t *put_varint(uint8_t *p, uint64_t v)
{
    while (v >= 0x80) {
        *p++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *p++ = (uint8_t)v;
    return p;
}

/* Behind the number, or NULL: cut off, or more than 64 bits. */
static const uint8_t *get_varint(const uint8_t *p, const uint8_t *end, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
        uint64_t bits = *p & 0x7fu;
        if (shift == 63 && bits > 1)
            return NULL;
        v |= bits << shift;
        if (!(*p++ & 0x80u)) {
            *ret = v;
            return p;
        }
    }
    return NULL;
}

static uint64_t zigzag(uint64_t difference)
{
    return (difference << 1) ^ (0 - (difference >> 63));
}

static uint64_t unzigzag(uint64_t v)
{
    return (v >> 1) ^ (0 - (v & 1));
}

static uint8_t stream_bits(uint8_t stream)
{
    return stream == STREAM_STDOUT ? 0 : stream == STREAM_STDERR ? 1 : 2;
}

/* Differences are taken modulo 2^64, so that no pair of times can overflow. */
static uint8_t *put_meta(uint8_t *p, const struct chunk *c)
{
    uint64_t last = 0;
    for (uint32_t i = 0; i < c->n_lines; i++) {
        uint64_t t = (uint64_t)c->lines[i].time_us;
        p = put_varint(p, zigzag(t - last));
        last = t;
    }
    for (uint32_t i = 0; i < c->n_lines; i++)
        *p++ = (uint8_t)(stream_bits(c->lines[i].stream) |
                         (c->lines[i].flags & (LINE_PART | LINE_NO_EOL)) << 2);
    for (uint32_t i = 0; i < c->n_lines; i++)
        p = put_varint(p, c->lines[i].len);
    return p;
}

/* Compresses the scratch's n bytes behind out's header. 0, or ERR_TOO_LARGE when that is no gain.
 */
static int append_compressed(struct chunk_codec *k, size_t n, struct buf *out)
{
    if (!k->compress) {
        k->compress = ZSTD_createCCtx();
        if (!k->compress)
            return ERR_NOMEM;
        size_t rc = ZSTD_CCtx_setParameter(k->compress, ZSTD_c_compressionLevel, ZSTD_LEVEL);
        size_t rc2 = ZSTD_CCtx_setParameter(k->compress, ZSTD_c_checksumFlag, 1);
        if (ZSTD_isError(rc) || ZSTD_isError(rc2))
            return ERR_INTERNAL;
    }
    /* Room for one byte less than the plain form: what does not fit is no gain. */
    size_t got = ZSTD_compress2(k->compress, out->data + out->len, n - 1, k->scratch.data, n);
    if (ZSTD_isError(got))
        return ERR_TOO_LARGE;
    out->len += got;
    out->data[out->len] = '\0';
    return 0;
}

int chunk_codec_encode(struct chunk_codec *k, const struct chunk *c, struct buf *out)
{
    size_t body_max = (size_t)c->n_lines * LINE_META_MAX + c->text_len;
    buf_clear(&k->scratch);
    int rc = buf_reserve(&k->scratch, body_max);
    if (rc < 0)
        return rc;
    uint8_t *body = (uint8_t *)k->scratch.data;
    size_t meta = (size_t)(put_meta(body, c) - body);
    size_t n = meta + c->text_len;
    if (c->text_len > 0)
        memcpy(body + meta, c->text, c->text_len);

    rc = buf_reserve(out, HEADER_LEN + n);
    if (rc < 0)
        return rc;
    uint8_t *header = (uint8_t *)out->data + out->len;
    header[0] = CODEC_VERSION;
    header[1] = CODEC_ZSTD;
    uint8_t *p = put_u32(header + 2, c->n_lines);
    p = put_u32(p, (uint32_t)meta);
    put_u32(p, c->text_len);
    size_t before = out->len;
    out->len += HEADER_LEN;
    rc = append_compressed(k, n, out);
    if (rc == ERR_TOO_LARGE) {
        header[1] = CODEC_PLAIN;
        rc = buf_append(out, body, n);
    }
    if (rc < 0)
        out->len = before;
    scratch_release(k);
    return rc;
}

static int decode_meta(const uint8_t *p, const uint8_t *end, struct chunk *c)
{
    uint64_t last = 0, v = 0, offset = 0;
    for (uint32_t i = 0; i < c->n_lines; i++) {
        p = get_varint(p, end, &v);
        if (!p)
            return ERR_CORRUPT;
        last += unzigzag(v);
        c->lines[i].time_us = (int64_t)last;
    }
    if ((size_t)(end - p) < c->n_lines)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < c->n_lines; i++, p++) {
        if ((*p & 3u) == 3u || *p > 15u)
            return ERR_CORRUPT;
        c->lines[i].stream = (uint8_t)STREAMS[*p & 3u];
        c->lines[i].flags = (uint8_t)(*p >> 2);
    }
    for (uint32_t i = 0; i < c->n_lines; i++) {
        p = get_varint(p, end, &v);
        if (!p || v > c->text_len - offset)
            return ERR_CORRUPT;
        c->lines[i].offset = (uint32_t)offset;
        c->lines[i].len = (uint32_t)v;
        offset += v;
    }
    return p == end && offset == c->text_len ? 0 : ERR_CORRUPT;
}

/* *ret_body: n bytes, in p or in the scratch. */
static int decode_body(struct chunk_codec *k, unsigned codec, const uint8_t *p, size_t len,
                       size_t n, const uint8_t **ret_body)
{
    if (codec == CODEC_PLAIN) {
        *ret_body = p;
        return len == n ? 0 : ERR_CORRUPT;
    }
    if (codec != CODEC_ZSTD || ZSTD_getFrameContentSize(p, len) != n ||
        ZSTD_findFrameCompressedSize(p, len) != len)
        return ERR_CORRUPT;
    if (!k->decompress)
        k->decompress = ZSTD_createDCtx();
    if (!k->decompress)
        return ERR_NOMEM;
    buf_clear(&k->scratch);
    int rc = buf_reserve(&k->scratch, n);
    if (rc < 0)
        return rc;
    if (ZSTD_decompressDCtx(k->decompress, k->scratch.data, n, p, len) != n)
        return ERR_CORRUPT;
    *ret_body = (const uint8_t *)k->scratch.data;
    return 0;
}

int chunk_codec_decode(struct chunk_codec *k, const void *bytes, size_t len, int64_t execution_key,
                       uint64_t first_seq, struct chunk **ret)
{
    const uint8_t *p = bytes;
    if (len < HEADER_LEN || p[0] != CODEC_VERSION)
        return ERR_CORRUPT;
    uint32_t n_lines = get_u32(p + 2), meta = get_u32(p + 6), text = get_u32(p + 10);
    if (n_lines == 0 || n_lines > CHUNK_LINES_MAX || text > CHUNK_BYTES_MAX ||
        meta < n_lines * LINE_META_MIN || meta > n_lines * LINE_META_MAX ||
        first_seq > UINT64_MAX - n_lines)
        return ERR_CORRUPT;
    const uint8_t *body = NULL;
    int rc = decode_body(k, p[1], p + HEADER_LEN, len - HEADER_LEN, (size_t)meta + text, &body);
    if (rc < 0)
        return rc;
    struct chunk *c = NULL;
    rc = chunk_new(execution_key, first_seq, n_lines, text, &c);
    if (rc == 0)
        rc = decode_meta(body, body + meta, c);
    if (rc < 0) {
        chunk_unref(c);
        return rc;
    }
    if (text > 0)
        memcpy(c->text, body + meta, text);
    scratch_release(k);
    *ret = c;
    return 0;
}

int chunk_encode(const struct chunk *c, struct buf *out)
{
    struct chunk_codec *k = NULL;
    int rc = chunk_codec_new(&k);
    if (rc == 0)
        rc = chunk_codec_encode(k, c, out);
    chunk_codec_free(k);
    return rc;
}

int chunk_decode(const void *p, size_t len, int64_t execution_key, uint64_t first_seq,
                 struct chunk **ret)
{
    struct chunk_codec *k = NULL;
    int rc = chunk_codec_new(&k);
    if (rc == 0)
        rc = chunk_codec_decode(k, p, len, execution_key, first_seq, ret);
    chunk_codec_free(k);
    return rc;
}
