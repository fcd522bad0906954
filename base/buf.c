/*
 * A bounded byte buffer. Memory grows by doubling up to the maximum plus the NUL; a failed append
 * changes nothing, so that a caller can answer the failure with what it already has.
 */
#include "base/buf.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

/* One malloc chunk that holds a short JSON message without a second allocation. */
#define BUF_FIRST_CAP 256

void buf_init(struct buf *b, size_t max)
{
    b->data = NULL;
    b->len = 0;
    b->cap = 0;
    b->max = max;
}

void buf_done(struct buf *b)
{
    free(b->data);
    buf_init(b, b->max);
}

void buf_clear(struct buf *b)
{
    b->len = 0;
    if (b->data)
        b->data[0] = '\0';
}

int buf_reserve(struct buf *b, size_t n)
{
    if (n > b->max - b->len)
        return ERR_TOO_LARGE;
    if (n >= SIZE_MAX - b->len)
        return ERR_NOMEM;
    size_t need = b->len + n + 1;
    if (need <= b->cap)
        return 0;

    size_t cap = b->cap ? b->cap : BUF_FIRST_CAP;
    while (cap < need)
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    if (cap - 1 > b->max)
        cap = b->max + 1;
    char *data = realloc(b->data, cap);
    if (!data)
        return ERR_NOMEM;
    data[b->len] = '\0';
    b->data = data;
    b->cap = cap;
    return 0;
}

int buf_append(struct buf *b, const void *p, size_t n)
{
    int r = buf_reserve(b, n);

    if (r < 0)
        return r;
    if (n > 0)
        memcpy(b->data + b->len, p, n);
    b->len += n;
    b->data[b->len] = '\0';
    return 0;
}

int buf_append_str(struct buf *b, const char *s)
{
    return buf_append(b, s, strlen(s));
}

int buf_append_char(struct buf *b, char c)
{
    return buf_append(b, &c, 1);
}

int buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
    va_list measure;

    va_copy(measure, ap);
    int n = vsnprintf(NULL, 0, fmt, measure);
    va_end(measure);
    if (n < 0)
        return ERR_INVALID;
    int r = buf_reserve(b, (size_t)n);
    if (r < 0)
        return r;
    (void)vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
    b->len += (size_t)n;
    return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int r = buf_vprintf(b, fmt, ap);
    va_end(ap);
    return r;
}

void buf_consume(struct buf *b, size_t n)
{
    if (n == 0)
        return;
    memmove(b->data, b->data + n, b->len - n + 1);
    b->len -= n;
}

int buf_take(struct buf *b, char **ret_data, size_t *ret_len)
{
    int r = buf_reserve(b, 0);

    if (r < 0)
        return r;
    *ret_data = b->data;
    if (ret_len)
        *ret_len = b->len;
    buf_init(b, b->max);
    return 0;
}
