/* Stored chunks from anywhere: what decodes must encode and decode to the same lines. */
#include "base/err.h"
#include "logs/chunk.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct chunk *c = NULL, *d = NULL;
    if (chunk_decode(data, size, 1, 1, &c) < 0)
        return 0;
    check(c->n_lines > 0 && c->n_lines <= CHUNK_LINES_MAX && c->text_len <= CHUNK_BYTES_MAX);
    struct buf out CLEANUP_BUF = {0};
    buf_init(&out, 4u << 20);
    check(chunk_encode(c, &out) == 0);
    check(chunk_decode(out.data, out.len, 1, 1, &d) == 0);
    check(d->n_lines == c->n_lines && d->text_len == c->text_len);
    check(memcmp(d->text, c->text, c->text_len) == 0);
    for (uint32_t i = 0; i < c->n_lines; i++) {
        const struct chunk_line *a = &c->lines[i], *b = &d->lines[i];
        check(a->time_us == b->time_us && a->offset == b->offset && a->len == b->len &&
              a->stream == b->stream && a->flags == b->flags);
        check(a->offset + a->len <= c->text_len);
    }
    chunk_unref(c);
    chunk_unref(d);
    return 0;
}
