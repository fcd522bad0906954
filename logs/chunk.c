/*
 * Chunks, the frames that belong to them, and the builder.
 *
 *   builder: empty ─add…─▶ lines in two arrays ─finish─▶ chunk of exactly that size, the arrays are
 *                                              │         kept
 *                                              └ nearly full ─▶ chunk that takes the arrays over
 *   chunk:   refs 1 (whoever built it) ─▶ shared by ring, pages, cursors and sockets ─▶ refs 0:
 * freed
 */
#include "logs/chunk.h"

#include "base/err.h"
#include "logs/hub.h"

#include <assert.h>
#include <string.h>

/* What an idle execution's builder costs; doubled when it does not suffice. */
#define BUILDER_LINES_FIRST 64u
#define BUILDER_TEXT_FIRST 4096u
/* Below it copying costs less than the memory that an array not quite filled would keep. */
#define HAND_OVER_BYTES (CHUNK_BYTES_MAX / 4 * 3)

struct chunk_builder {
    struct chunk_line *lines;
    char *text;
    uint32_t n_lines, lines_cap;
    uint32_t text_len, text_cap;
    uint32_t lines_first, text_first; /* what a new array begins with; 0: as an idle one */
};

struct frame *frame_ref(struct frame *f)
{
    f->refs++;
    return f;
}

void frame_unref(struct frame *f)
{
    if (!f)
        return;
    assert(f->refs > 0);
    if (--f->refs == 0)
        free(f);
}

int chunk_new(int64_t execution_key, uint64_t first_seq, uint32_t n_lines, uint32_t text_len,
              struct chunk **ret)
{
    if (n_lines == 0 || n_lines > CHUNK_LINES_MAX || text_len > CHUNK_BYTES_MAX)
        return ERR_TOO_LARGE;
    size_t size = sizeof(struct chunk) + (size_t)n_lines * sizeof(struct chunk_line) + text_len;
    struct chunk *c = malloc(size);
    if (!c)
        return ERR_NOMEM;
    memset(c, 0, sizeof *c);
    c->refs = 1;
    c->execution_key = execution_key;
    c->first_seq = first_seq;
    c->n_lines = n_lines;
    c->text_len = text_len;
    c->lines = (struct chunk_line *)(void *)(c + 1);
    c->text = (char *)(c->lines + n_lines);
    c->memory = size;
    *ret = c;
    return 0;
}

struct chunk *chunk_ref(struct chunk *c)
{
    c->refs++;
    return c;
}

void chunk_unref(struct chunk *c)
{
    if (!c)
        return;
    assert(c->refs > 0);
    if (--c->refs > 0)
        return;
    for (size_t i = 0; i < CHUNK_FRAME_KINDS; i++)
        frame_unref(c->frames[i]);
    if (c->apart) {
        free(c->lines);
        free(c->text);
    }
    free(c);
}

int chunk_builder_new(struct chunk_builder **ret)
{
    struct chunk_builder *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    *ret = b;
    return 0;
}

void chunk_builder_free(struct chunk_builder *b)
{
    if (!b)
        return;
    free(b->lines);
    free(b->text);
    free(b);
}

static int grow_lines(struct chunk_builder *b)
{
    uint32_t cap = b->lines_cap ? b->lines_cap * 2 : b->lines_first;
    if (cap < BUILDER_LINES_FIRST)
        cap = BUILDER_LINES_FIRST;
    struct chunk_line *lines = realloc(b->lines, cap * sizeof *lines);
    if (!lines)
        return ERR_NOMEM;
    b->lines = lines;
    b->lines_cap = cap;
    return 0;
}

static int grow_text(struct chunk_builder *b, size_t need)
{
    uint32_t cap = b->text_cap ? b->text_cap : b->text_first;
    if (cap < BUILDER_TEXT_FIRST)
        cap = BUILDER_TEXT_FIRST;
    while (cap < need)
        cap *= 2;
    char *text = realloc(b->text, cap);
    if (!text)
        return ERR_NOMEM;
    b->text = text;
    b->text_cap = cap;
    return 0;
}

int chunk_builder_add(struct chunk_builder *b, int64_t time_us, uint8_t stream, uint8_t flags,
                      const void *p, size_t len)
{
    if (b->n_lines == CHUNK_LINES_MAX || len > CHUNK_BYTES_MAX - b->text_len)
        return ERR_TOO_LARGE;
    if (b->n_lines == b->lines_cap && grow_lines(b) < 0)
        return ERR_NOMEM;
    if (b->text_len + len > b->text_cap && grow_text(b, b->text_len + len) < 0)
        return ERR_NOMEM;
    if (len > 0)
        memcpy(b->text + b->text_len, p, len);
    b->lines[b->n_lines++] = (struct chunk_line){
        .time_us = time_us,
        .offset = b->text_len,
        .len = (uint32_t)len,
        .stream = stream,
        .flags = flags,
    };
    b->text_len += (uint32_t)len;
    return 0;
}

void chunk_builder_clear(struct chunk_builder *b)
{
    b->n_lines = 0;
    b->text_len = 0;
}

size_t chunk_builder_lines(const struct chunk_builder *b)
{
    return b->n_lines;
}

size_t chunk_builder_bytes(const struct chunk_builder *b)
{
    return b->text_len;
}

/* The next chunk is taken to be about as large. */
static int hand_over(struct chunk_builder *b, int64_t execution_key, uint64_t first_seq,
                     struct chunk **ret)
{
    struct chunk *c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    b->lines_first = b->n_lines + b->n_lines / 8;
    b->text_first = b->text_cap;
    struct chunk_line *lines = realloc(b->lines, b->n_lines * sizeof *lines);
    c->refs = 1;
    c->execution_key = execution_key;
    c->first_seq = first_seq;
    c->n_lines = b->n_lines;
    c->text_len = b->text_len;
    c->apart = true;
    c->lines = lines ? lines : b->lines;
    c->text = b->text;
    c->memory = sizeof *c + b->n_lines * sizeof *lines + b->text_cap;
    b->lines = NULL;
    b->text = NULL;
    b->lines_cap = b->text_cap = 0;
    chunk_builder_clear(b);
    *ret = c;
    return 0;
}

int chunk_builder_finish(struct chunk_builder *b, int64_t execution_key, uint64_t first_seq,
                         struct chunk **ret)
{
    assert(b->n_lines > 0);
    if (b->text_len >= HAND_OVER_BYTES)
        return hand_over(b, execution_key, first_seq, ret);
    struct chunk *c = NULL;
    int rc = chunk_new(execution_key, first_seq, b->n_lines, b->text_len, &c);
    if (rc < 0)
        return rc;
    memcpy(c->lines, b->lines, (size_t)b->n_lines * sizeof *b->lines);
    if (b->text_len > 0)
        memcpy(c->text, b->text, b->text_len);
    chunk_builder_clear(b);
    *ret = c;
    return 0;
}
