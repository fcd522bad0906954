/*
 * Turns chunks into WebSocket frames, once for all readers. What wire/messages.h says line by line
 * is written here with the parts that do not change from line to line kept: the beginning of a
 * message and the digits of the time. The frames' texts equal wire's; the tests hold them together.
 */
#include "gateway/stream_frames.h"

#include "base/err.h"
#include "base/json.h"
#include "base/model.h"
#include "gateway/stream.h"
#include "wire/messages.h"

#include <assert.h>
#include <string.h>

#define SHORT_MAX 125u     /* RFC 6455 5.2: lengths above are extended */
#define RESERVED_HEADER 4u /* what most frames have: a 16-bit length */
#define DIGITS_MAX 20u     /* of a 64-bit number */
#define SEQ_DIGITS 20u     /* event ids hold the seq in as many */
#define LINE_OVERHEAD_MAX 64u

static size_t header_size(size_t payload)
{
    return payload <= SHORT_MAX ? 2 : payload <= UINT16_MAX ? 4 : 10;
}

int stream_frame_begin(struct buf *out, size_t *ret_mark)
{
    size_t mark = out->len;
    int r = buf_append(out, "\0\0\0\0", RESERVED_HEADER);

    if (r == 0)
        *ret_mark = mark;
    return r;
}

int stream_frame_end(struct buf *out, size_t mark, unsigned opcode)
{
    size_t payload = out->len - mark - RESERVED_HEADER;
    size_t header = header_size(payload);
    uint8_t *p;

    if (header > RESERVED_HEADER) {
        int r = buf_append(out, "\0\0\0\0\0\0", header - RESERVED_HEADER);
        if (r != 0)
            return r;
    }
    p = (uint8_t *)out->data + mark;
    if (header != RESERVED_HEADER)
        memmove(p + header, p + RESERVED_HEADER, payload);
    out->len = mark + header + payload;
    out->data[out->len] = '\0';
    p[0] = (uint8_t)(0x80u | opcode);
    if (header == 2) {
        p[1] = (uint8_t)payload;
    } else if (header == 4) {
        p[1] = 126;
        p[2] = (uint8_t)(payload >> 8);
        p[3] = (uint8_t)payload;
    } else {
        p[1] = 127;
        for (unsigned i = 0; i < 8; i++)
            p[2 + i] = (uint8_t)((uint64_t)payload >> (56 - 8 * i));
    }
    return 0;
}

size_t stream_frame_header(const uint8_t *p)
{
    return p[1] <= SHORT_MAX ? 2 : p[1] == 126 ? 4 : 10;
}

static size_t frame_size(const uint8_t *p)
{
    uint64_t n = 0;

    if (p[1] <= SHORT_MAX)
        return 2u + p[1];
    if (p[1] == 126)
        return 4u + ((size_t)p[2] << 8 | p[3]);
    for (unsigned i = 0; i < 8; i++)
        n = n << 8 | p[2 + i];
    return 10u + (size_t)n;
}

size_t stream_frames_fit(const uint8_t *p, size_t len, size_t max)
{
    size_t n = 0;

    if (len <= max)
        return len;
    do {
        n += frame_size(p + n);
    } while (n < len && n + frame_size(p + n) <= max);
    assert(n <= len);
    return n;
}

static void cut(struct buf *out, size_t len)
{
    out->len = len;
    if (out->data)
        out->data[len] = '\0';
}

/* Decimal digits of n at p; how many. */
static size_t put_number(char *p, uint64_t n)
{
    char digits[DIGITS_MAX];
    size_t i = sizeof digits;

    do {
        digits[--i] = (char)('0' + n % 10);
        n /= 10;
    } while (n != 0);
    memcpy(p, digits + i, sizeof digits - i);
    return sizeof digits - i;
}

/* The text of a time in ms, made again only when the millisecond changes. */
struct time_text {
    int64_t ms;
    size_t len;
    char text[DIGITS_MAX + 1];
};

static void time_text_set(struct time_text *t, int64_t time_us)
{
    int64_t ms = time_us / 1000 - (time_us % 1000 < 0);
    size_t n = 0;

    if (t->len > 0 && t->ms == ms)
        return;
    if (ms < 0)
        t->text[n++] = '-';
    t->len = n + put_number(t->text + n, ms < 0 ? (uint64_t)0 - (uint64_t)ms : (uint64_t)ms);
    t->ms = ms;
}

static void put(struct buf *out, const char *p, size_t n)
{
    memcpy(out->data + out->len, p, n);
    out->len += n;
}

/* [TIME,"o","text"] or [TIME,"o","text",1]; the bytes around the text are reserved at once. */
static int append_line(struct buf *out, struct time_text *t, const struct chunk *c,
                       const struct chunk_line *l, bool is_first)
{
    char kind[] = ",\"?\",";
    int r = buf_reserve(out, LINE_OVERHEAD_MAX);

    if (r != 0)
        return r;
    time_text_set(t, l->time_us);
    kind[2] = (char)l->stream;
    put(out, ",[", 2);
    if (is_first) {
        out->data[out->len - 2] = '[';
        out->len--;
    }
    put(out, t->text, t->len);
    put(out, kind, sizeof kind - 1);
    r = json_append_string(out, c->text + l->offset, l->len);
    if (r != 0)
        return r;
    return l->flags & LINE_PART ? buf_append(out, ",1]", 3) : buf_append_char(out, ']');
}

static int append_logs_end(struct buf *out, size_t mark)
{
    int r = wire_ws_logs_end(out);
    return r == 0 ? stream_frame_end(out, mark, STREAM_OP_TEXT) : r;
}

/* One frame: lines from *i on, as many as fit; *i is the next frame's first. */
static int append_logs(struct buf *out, const struct execution_id *id, const struct chunk *c,
                       uint32_t *i, struct time_text *t)
{
    const size_t closing = 2; /* what wire_ws_logs_end adds */
    uint32_t line = *i;
    size_t mark = 0;
    int r = stream_frame_begin(out, &mark);

    if (r == 0)
        r = wire_ws_logs_begin(out, id, c->first_seq + line);
    while (r == 0 && line < c->n_lines) {
        size_t before = out->len;
        r = append_line(out, t, c, &c->lines[line], line == *i);
        if (r != 0)
            break;
        if (line > *i && out->len - mark - RESERVED_HEADER + closing > STREAM_PAYLOAD_MAX) {
            cut(out, before);
            break;
        }
        line++;
    }
    if (r == 0)
        r = append_logs_end(out, mark);
    if (r == 0)
        *i = line;
    return r;
}

int stream_encode_tailgate(void *user, const struct execution_id *id, const struct chunk *c,
                           uint32_t first_line, struct buf *out)
{
    struct time_text t = {0};
    size_t start = out->len;
    int r = 0;

    (void)user;
    for (uint32_t i = first_line; r == 0 && i < c->n_lines;)
        r = append_logs(out, id, c, &i, &t);
    if (r != 0)
        cut(out, start);
    return r;
}

/* The beginning of a Runvoy message, up to and with the seq; the digits are counted on in place. */
struct event_prefix {
    char text[sizeof "{\"event_id\":\"-" + EXECUTION_ID_LEN + SEQ_DIGITS];
    size_t len;
};

static void event_prefix_init(struct event_prefix *p, const struct execution_id *id, uint64_t seq)
{
    static const char begin[] = "{\"event_id\":\"";

    memcpy(p->text, begin, sizeof begin - 1);
    p->len = sizeof begin - 1;
    memcpy(p->text + p->len, id->hex, EXECUTION_ID_LEN);
    p->len += EXECUTION_ID_LEN;
    p->text[p->len++] = '-';
    p->len += SEQ_DIGITS;
    for (size_t i = 1; i <= SEQ_DIGITS; i++, seq /= 10)
        p->text[p->len - i] = (char)('0' + seq % 10);
}

static void event_prefix_next(struct event_prefix *p)
{
    for (size_t i = p->len - 1; i >= p->len - SEQ_DIGITS && ++p->text[i] > '9'; i--)
        p->text[i] = '0';
}

static int append_event(struct buf *out, const struct event_prefix *p, struct time_text *t,
                        const struct chunk *c, const struct chunk_line *l)
{
    static const char stamp[] = "\",\"timestamp\":", message[] = ",\"message\":";
    size_t mark = 0;
    int r = buf_reserve(out, sizeof p->text + sizeof stamp + sizeof message + LINE_OVERHEAD_MAX);

    if (r == 0)
        r = stream_frame_begin(out, &mark);
    if (r != 0)
        return r;
    time_text_set(t, l->time_us);
    put(out, p->text, p->len);
    put(out, stamp, sizeof stamp - 1);
    put(out, t->text, t->len);
    put(out, message, sizeof message - 1);
    r = l->len > 0 ? json_append_string(out, c->text + l->offset, l->len)
                   : buf_append(out, "\" \"", 3); /* Runvoy's viewer takes no empty message */
    if (r == 0)
        r = buf_append_char(out, '}');
    return r == 0 ? stream_frame_end(out, mark, STREAM_OP_TEXT) : r;
}

int stream_encode_runvoy(void *user, const struct execution_id *id, const struct chunk *c,
                         uint32_t first_line, struct buf *out)
{
    struct event_prefix prefix;
    struct time_text t = {0};
    size_t start = out->len;
    int r = 0;

    (void)user;
    event_prefix_init(&prefix, id, c->first_seq + first_line);
    for (uint32_t i = first_line; r == 0 && i < c->n_lines; i++) {
        r = append_event(out, &prefix, &t, c, &c->lines[i]);
        event_prefix_next(&prefix);
    }
    if (r != 0)
        cut(out, start);
    return r;
}

int stream_register_encoders(struct hub *h, struct stream_kinds *ret)
{
    struct stream_kinds k = {0};
    int r = hub_register_encoder(h, stream_encode_tailgate, NULL, &k.tailgate);

    if (r == 0)
        r = hub_register_encoder(h, stream_encode_runvoy, NULL, &k.runvoy);
    if (r == 0)
        *ret = k;
    return r;
}
