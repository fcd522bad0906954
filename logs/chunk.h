/*
 * A chunk: consecutive lines of one execution. Immutable and reference-counted once built (one
 * thread, so a plain counter). It also holds the frames made from it, each made once (hub.h).
 *
 * Stored form (the "chunk codec"), little endian:
 *
 *   0       1       2          6            10             14
 *   | ver=1 | codec | n_lines  | meta_bytes | text_bytes   | body: meta, then text
 *   | u8    | u8    | u32      | u32        | u32          |
 *
 *   codec 0: body as it is; 1: body is one zstd frame (level 3). first_seq stands in the table's
 * row. meta, columns one after the other, n_lines entries each: times   zigzag LEB128 varints: the
 * first absolute, then differences, µs kinds   one byte: bits 0-1 stream (0 o, 1 e, 2 s), bits 2-3
 * flags (LINE_PART, LINE_NO_EOL) lengths LEB128 varints text: the lines' bytes, no separators.
 */
#ifndef TAILGATE_LOGS_CHUNK_H
#define TAILGATE_LOGS_CHUNK_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNK_BYTES_MAX 65536u /* text of a chunk; one line may be exactly that long */
#define CHUNK_LINES_MAX 65536u
#define CHUNK_FRAME_KINDS 4
/* Columns and text of the largest chunk, stored as they are. */
#define CHUNK_ENCODED_MAX (2u << 20)

struct frame; /* hub.h */

struct chunk_line {
    int64_t time_us;
    uint32_t offset, len; /* into text */
    uint8_t stream;       /* STREAM_* */
    uint8_t flags;        /* LINE_* */
};

struct chunk {
    unsigned refs;
    int64_t execution_key;
    uint64_t first_seq; /* last = first_seq + n_lines - 1 */
    uint32_t n_lines;
    uint32_t text_len;
    struct chunk_line *lines;
    char *text;
    bool apart;           /* lines and text are allocations of their own, not part of the chunk's */
    int64_t published_us; /* monotonic; 0: not published here, but read from the database */
    size_t memory;        /* bytes this chunk holds, frames included */
    bool in_ring, in_page; /* whose memory it counts as (the hub's) */
    struct frame *frames[CHUNK_FRAME_KINDS];
};

/* One allocation for everything; lines and text are the caller's to fill. ERR_NOMEM, ERR_TOO_LARGE
 * (also for no lines at all). */
MUST_CHECK int chunk_new(int64_t execution_key, uint64_t first_seq, uint32_t n_lines,
                         uint32_t text_len, struct chunk **ret);

static inline uint64_t chunk_last_seq(const struct chunk *c)
{
    return c->first_seq + c->n_lines - 1;
}
struct chunk *chunk_ref(struct chunk *c);
void chunk_unref(struct chunk *c); /* NULL is fine */

/* Collects lines and turns them into a chunk. */
struct chunk_builder;
MUST_CHECK int chunk_builder_new(struct chunk_builder **ret);
void chunk_builder_free(struct chunk_builder *b);
/* Copies the line. ERR_TOO_LARGE: does not fit any more (finish first; an empty builder takes any
 * line up to CHUNK_BYTES_MAX). ERR_NOMEM. */
MUST_CHECK int chunk_builder_add(struct chunk_builder *b, int64_t time_us, uint8_t stream,
                                 uint8_t flags, const void *p, size_t len);
void chunk_builder_clear(struct chunk_builder *b); /* forgets what was collected */
size_t chunk_builder_lines(const struct chunk_builder *b);
size_t chunk_builder_bytes(const struct chunk_builder *b);
/* The collected lines as a chunk (one reference, the caller's); the builder is empty again.
 * ERR_NOMEM. */
MUST_CHECK int chunk_builder_finish(struct chunk_builder *b, int64_t execution_key,
                                    uint64_t first_seq, struct chunk **ret);

/*
 * The codec with its compression contexts and scratch memory, for those who code many chunks.
 */
struct chunk_codec;
MUST_CHECK int chunk_codec_new(struct chunk_codec **ret);
void chunk_codec_free(struct chunk_codec *k);
/* Stored form appended to out. ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int chunk_codec_encode(struct chunk_codec *k, const struct chunk *c, struct buf *out);
/* Hostile input. ERR_CORRUPT, ERR_NOMEM. */
MUST_CHECK int chunk_codec_decode(struct chunk_codec *k, const void *p, size_t len,
                                  int64_t execution_key, uint64_t first_seq, struct chunk **ret);

/* The same with a codec of their own. Stored form appended to out. ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int chunk_encode(const struct chunk *c, struct buf *out);
/* Hostile input. ERR_CORRUPT, ERR_NOMEM. */
MUST_CHECK int chunk_decode(const void *p, size_t len, int64_t execution_key, uint64_t first_seq,
                            struct chunk **ret);

#endif
