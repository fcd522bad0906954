/* permessage-deflate without context takeover: the offer, deflated frames, inflated messages. */
#include "gateway/deflate.h"

#include "base/err.h"
#include "base/str.h"
#include "gateway/stream_frames.h"

#include <string.h>
#include <zlib.h>

/* Measured on log messages of 64 KiB: 0.12 of the size, 4 µs a KiB; 1 is no faster, 6 is half as
 * fast for a sixth less. */
#define LEVEL 2
#define MEMORY_LEVEL 8 /* zlib's default: 144 KiB with this window */
/* Shorter payloads gain less than the reader's work is worth. */
#define PAYLOAD_MIN 128u
#define RSV1 0x40u
/* RFC 7692 7.2.1: what a sync flush ends with is not sent. */
static const uint8_t tail[] = {0x00, 0x00, 0xff, 0xff};

struct deflate {
    z_stream out, in;
    struct buf deflated; /* of one frame */
    struct buf inflated;
};

/* ---- the offer ---- */

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t");
}

static size_t token_length(const char *p)
{
    return strcspn(p, " \t;,=");
}

/* One parameter of the offer at *p, which goes behind it. */
static int take_parameter(const char **p, struct deflate_offer *offer)
{
    const char *name = skip_space(*p), *value = "";
    size_t len = token_length(name), value_len = 0;
    int64_t bits = 0;
    char text[4];

    *p = skip_space(name + len);
    if (**p == '=') {
        value = skip_space(*p + 1);
        value += *value == '"';
        value_len = strcspn(value, " \t;,\"");
        *p = value + value_len;
        *p = skip_space(*p + (**p == '"'));
    }
    if (len == strlen("server_no_context_takeover") &&
        (memcmp(name, "server_no_context_takeover", len) == 0 ||
         memcmp(name, "client_no_context_takeover", len) == 0))
        return value_len == 0 ? 0 : ERR_NOT_FOUND;
    if (len != strlen("server_max_window_bits") || value_len >= sizeof text)
        return ERR_NOT_FOUND;
    memcpy(text, value, value_len);
    text[value_len] = '\0';
    if (memcmp(name, "client_max_window_bits", len) == 0)
        return value_len == 0 || str_to_i64(text, 8, 15, &bits) == 0 ? 0 : ERR_NOT_FOUND;
    if (memcmp(name, "server_max_window_bits", len) != 0 ||
        str_to_i64(text, DEFLATE_WINDOW_BITS, 15, &bits) != 0)
        return ERR_NOT_FOUND;
    offer->has_window = true;
    return 0;
}

int deflate_offer_parse(const char *header, struct deflate_offer *ret)
{
    struct deflate_offer offer = {0};
    const char *p = header;
    size_t len;

    for (;;) {
        p = skip_space(p);
        len = token_length(p);
        if (len == strlen(DEFLATE_NAME) && memcmp(p, DEFLATE_NAME, len) == 0)
            break;
        p = strchr(p, ',');
        if (!p)
            return ERR_NOT_FOUND;
        p++;
    }
    for (p = skip_space(p + len); *p == ';';) {
        p++;
        int r = take_parameter(&p, &offer);
        if (r != 0)
            return r;
    }
    if (*p != '\0' && *p != ',')
        return ERR_NOT_FOUND;
    *ret = offer;
    return 0;
}

#define STRINGIFY(x) #x
#define TEXT_OF(x) STRINGIFY(x)
#define NO_CONTEXT "; server_no_context_takeover; client_no_context_takeover"

const char *deflate_answer(const struct deflate_offer *offer)
{
    return offer->has_window ? NO_CONTEXT "; server_max_window_bits=" TEXT_OF(DEFLATE_WINDOW_BITS)
                             : NO_CONTEXT;
}

/* ---- life cycle ---- */

int deflate_new(size_t max, struct deflate **ret)
{
    struct deflate *d = calloc(1, sizeof *d);

    if (!d)
        return ERR_NOMEM;
    buf_init(&d->deflated, STREAM_LINE_PAYLOAD_MAX);
    buf_init(&d->inflated, max + 1); /* that it is too long shows in the last byte */
    if (deflateInit2(&d->out, LEVEL, Z_DEFLATED, -DEFLATE_WINDOW_BITS, MEMORY_LEVEL,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        free(d);
        return ERR_NOMEM;
    }
    if (inflateInit2(&d->in, -MAX_WBITS) != Z_OK) {
        (void)deflateEnd(&d->out);
        free(d);
        return ERR_NOMEM;
    }
    *ret = d;
    return 0;
}

void deflate_free(struct deflate *d)
{
    if (!d)
        return;
    (void)deflateEnd(&d->out);
    (void)inflateEnd(&d->in);
    buf_done(&d->deflated);
    buf_done(&d->inflated);
    free(d);
}

/* ---- out ---- */

/* The payload deflated, in d->deflated. ERR_TOO_LARGE: it did not become shorter. */
static int deflate_payload(struct deflate *d, const uint8_t *p, size_t len)
{
    int r = buf_reserve(&d->deflated, len);

    if (r != 0)
        return r;
    if (deflateReset(&d->out) != Z_OK)
        return ERR_NOMEM;
    d->out.next_in = (z_const Bytef *)(uintptr_t)p;
    d->out.avail_in = (uInt)len;
    d->out.next_out = (Bytef *)d->deflated.data;
    d->out.avail_out = (uInt)len;
    /* Room to spare tells that the flush is complete (zlib.h). */
    if (deflate(&d->out, Z_SYNC_FLUSH) != Z_OK || d->out.avail_out == 0)
        return ERR_TOO_LARGE;
    d->deflated.len = len - d->out.avail_out - sizeof tail;
    return 0;
}

static int append_frame(struct deflate *d, const uint8_t *frame, size_t size, struct buf *out)
{
    size_t header = stream_frame_header(frame), mark = 0;
    int r;

    if (size - header < PAYLOAD_MIN)
        return buf_append(out, frame, size);
    buf_clear(&d->deflated);
    r = deflate_payload(d, frame + header, size - header);
    if (r == ERR_TOO_LARGE)
        return buf_append(out, frame, size);
    if (r == 0)
        r = stream_frame_begin(out, &mark);
    if (r == 0)
        r = buf_append(out, d->deflated.data, d->deflated.len);
    if (r == 0)
        r = stream_frame_end(out, mark, STREAM_OP_TEXT);
    if (r == 0)
        out->data[mark] = (char)((unsigned char)out->data[mark] | RSV1);
    return r;
}

int deflate_frames(struct deflate *d, const uint8_t *p, size_t len, struct buf *out)
{
    size_t start = out->len, size;
    int r = 0;

    for (size_t at = 0; r == 0 && at < len; at += size) {
        size = stream_frames_fit(p + at, len - at, 1);
        r = append_frame(d, p + at, size, out);
    }
    if (r != 0 && out->data) {
        out->len = start;
        out->data[start] = '\0';
    }
    return r;
}

/* ---- in ---- */

static int inflate_all(struct deflate *d, const void *p, size_t len)
{
    int r;

    d->in.next_in = (z_const Bytef *)(uintptr_t)p;
    d->in.avail_in = (uInt)len;
    do {
        int err = buf_reserve(&d->inflated, 1);
        if (err != 0)
            return err;
        size_t room = d->inflated.cap - d->inflated.len - 1;
        if (room > d->inflated.max - d->inflated.len)
            room = d->inflated.max - d->inflated.len;
        d->in.next_out = (Bytef *)d->inflated.data + d->inflated.len;
        d->in.avail_out = (uInt)room;
        r = inflate(&d->in, Z_SYNC_FLUSH);
        d->inflated.len += room - d->in.avail_out;
        if (r == Z_BUF_ERROR && d->in.avail_in == 0)
            return 0;
        if (r != Z_OK && r != Z_STREAM_END)
            return ERR_CORRUPT;
        if (d->inflated.len == d->inflated.max)
            return ERR_TOO_LARGE;
    } while (r == Z_OK && (d->in.avail_in > 0 || d->in.avail_out == 0));
    return 0;
}

int deflate_inflate(struct deflate *d, const void *p, size_t len, char **ret, size_t *ret_len)
{
    int r;

    buf_clear(&d->inflated);
    if (inflateReset(&d->in) != Z_OK)
        return ERR_NOMEM;
    r = inflate_all(d, p, len);
    if (r == 0)
        r = inflate_all(d, tail, sizeof tail);
    if (r != 0)
        return r;
    *ret = d->inflated.data;
    *ret_len = d->inflated.len;
    return 0;
}
