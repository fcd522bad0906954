/*
 * A growing byte buffer that is born with its maximum (style 15). Append fails with ERR_TOO_LARGE
 * past it and leaves the contents as they were. Always NUL-terminated behind len, so that data can
 * be used as a string.
 */
#ifndef TAILGATE_BASE_BUF_H
#define TAILGATE_BASE_BUF_H

#include "base/compiler.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *data; /* NULL until the first append */
    size_t len;
    size_t cap;
    size_t max; /* bytes of content, NUL not counted */
};

/* No allocation yet. */
void buf_init(struct buf *b, size_t max);
/* Frees; the buffer may be used again with the same maximum. Safe on a zeroed struct. */
void buf_done(struct buf *b);
/* Empties, keeps the memory. */
void buf_clear(struct buf *b);
/* Makes room for n more bytes. ERR_TOO_LARGE, ERR_NOMEM. */
MUST_CHECK int buf_reserve(struct buf *b, size_t n);
MUST_CHECK int buf_append(struct buf *b, const void *p, size_t n);
MUST_CHECK int buf_append_str(struct buf *b, const char *s);
MUST_CHECK int buf_append_char(struct buf *b, char c);
MUST_CHECK int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
MUST_CHECK int buf_vprintf(struct buf *b, const char *fmt, va_list ap);
/* Drops n bytes from the front (n <= len). */
void buf_consume(struct buf *b, size_t n);
/* Hands the bytes to the caller (free()) and empties the buffer; "" is allocated when it was empty.
 */
MUST_CHECK int buf_take(struct buf *b, char **ret_data, size_t *ret_len);

#define CLEANUP_BUF CLEANUP(buf_done)

#endif
