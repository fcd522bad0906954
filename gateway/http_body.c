/*
 * Request bodies: by Content-Length, or in chunked transfer coding, which libwebsockets hands on as
 * it came. Bounded by --max-body-bytes; what lies past it is refused before it is read.
 */
#include "base/str.h"
#include "gateway/http_internal.h"

#include <string.h>

/* Extensions and trailers are dropped, and bounded. */
#define CHUNK_OVERHEAD_MAX 16384u
#define CHUNK_SIZE_DIGITS_MAX 15u

static int too_large(const struct http_request *r, struct problem *p)
{
    return problem_set(p, ERR_TOO_LARGE, "request body too large",
                       "the body may hold at most %llu bytes",
                       (unsigned long long)server_options(r->server)->max_body_bytes);
}

static int invalid(struct problem *p, const char *details)
{
    return problem_set(p, ERR_INVALID, "invalid request body", "%s", details);
}

int http_body_begin(struct http_request *r, struct problem *p)
{
    const char *length = http_header(r, HEADER_CONTENT_LENGTH);
    const char *coding = http_header(r, HEADER_TRANSFER_ENCODING);
    uint64_t max = server_options(r->server)->max_body_bytes;
    int64_t n = 0;
    bool has_body_method = r->method == HTTP_POST || r->method == HTTP_PUT;
    buf_init(&r->body, max);
    if (coding && length)
        return invalid(p, "both Content-Length and Transfer-Encoding are given");
    if (coding) {
        if (strcasecmp(coding, "chunked") != 0)
            return invalid(p, "Transfer-Encoding must be chunked");
        /* libwebsockets does not see where such a body ends: no further request on this
         * connection, and none of other methods is waited for. */
        r->must_close = true;
        r->is_chunked = has_body_method;
        r->body_complete = !has_body_method;
        return 0;
    }
    if (length && str_to_i64(length, 0, INT64_MAX, &n))
        return invalid(p, "Content-Length must be a number");
    if ((uint64_t)n > max)
        return too_large(r, p);
    if (!length && has_body_method)
        r->must_close = true; /* libwebsockets would wait for a body until the connection ends */
    r->body_left = (uint64_t)n;
    r->body_complete = n == 0;
    return 0;
}

/* One byte that is not data. */
static int chunk_control(struct chunk_decoder *d, char c)
{
    uint8_t digit;
    switch (d->phase) {
    case CHUNK_SIZE:
        if (c >= '0' && c <= '9')
            digit = (uint8_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint8_t)((c | 0x20) - 'a' + 10);
        else if (d->digits > 0) {
            d->phase = CHUNK_EXT;
            return chunk_control(d, c);
        } else
            return ERR_INVALID;
        if (++d->digits > CHUNK_SIZE_DIGITS_MAX)
            return ERR_INVALID;
        d->left = d->left << 4 | digit;
        return 0;
    case CHUNK_EXT:
        if (c == '\n')
            d->phase = d->left > 0 ? CHUNK_DATA : CHUNK_TRAILER;
        d->line_bytes = 0;
        return ++d->overhead > CHUNK_OVERHEAD_MAX ? ERR_INVALID : 0;
    case CHUNK_DATA_END:
        if (c == '\n') {
            d->phase = CHUNK_SIZE;
            d->digits = 0;
            d->left = 0;
            return 0;
        }
        return c == '\r' ? 0 : ERR_INVALID;
    case CHUNK_TRAILER:
        if (c == '\n') {
            if (d->line_bytes == 0)
                d->phase = CHUNK_END;
            d->line_bytes = 0;
        } else if (c != '\r') {
            d->line_bytes++;
        }
        return ++d->overhead > CHUNK_OVERHEAD_MAX ? ERR_INVALID : 0;
    case CHUNK_DATA:
    case CHUNK_END:
        break;
    }
    return ERR_INVALID;
}

static int take_chunked(struct http_request *r, const char *in, size_t len, struct problem *p)
{
    struct chunk_decoder *d = &r->chunks;
    while (len > 0 && d->phase != CHUNK_END) {
        if (d->phase != CHUNK_DATA) {
            if (chunk_control(d, *in))
                return invalid(p, "the chunked transfer coding is broken");
            in++;
            len--;
            continue;
        }
        size_t n = d->left < len ? (size_t)d->left : len;
        if (d->left > r->body.max - r->body.len)
            return too_large(r, p);
        int err = buf_append(&r->body, in, n);
        if (err)
            return err;
        in += n;
        len -= n;
        d->left -= n;
        if (d->left == 0)
            d->phase = CHUNK_DATA_END;
    }
    r->body_complete = d->phase == CHUNK_END;
    return 0;
}

int http_body_take(struct http_request *r, const void *in, size_t len, struct problem *p)
{
    if (r->is_chunked)
        return take_chunked(r, in, len, p);
    if (len > r->body_left)
        len = (size_t)r->body_left;
    if (len == 0)
        return 0;
    int err = buf_append(&r->body, in, len);
    if (err)
        return err;
    r->body_left -= len;
    r->body_complete = r->body_left == 0;
    return 0;
}
