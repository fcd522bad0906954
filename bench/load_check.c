/* Frames and what is in them: every sequence number is held against the one before it. */
#include "line.h"
#include "load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOGS_BEGIN "{\"type\":\"logs\",\"execution_id\":\""
#define LOGS_FIRST "\",\"first\":"
#define EVENT_BEGIN "{\"event_id\":\""
#define SEQ_DIGITS 20u
#define TIME_DIGITS 13u
#define BLOCK                                                                          \
    192u /* counts of so many bytes fit a byte, which the compiler counts 16 at a time \
          */
#define ERRORS_SHOWN 5u

void note_error(struct load *l, const struct reader *r, const char *what, uint64_t got)
{
    if (l->t.errors++ < ERRORS_SHOWN)
        (void)fprintf(stderr, "reader %td: %s: wanted %llu, got %llu\n", r - l->readers, what,
                      (unsigned long long)r->next, (unsigned long long)got);
}

void note_latency(struct load *l, uint64_t us)
{
    uint64_t step = us / LATENCY_STEP_US;
    l->t.latency[step < LATENCY_STEPS ? step : LATENCY_STEPS - 1]++;
}

static size_t count_byte(const char *p, size_t len, char c)
{
    size_t total = 0;

    while (len > 0) {
        size_t n = len < BLOCK ? len : BLOCK;
        uint8_t count = 0;
        for (size_t i = 0; i < n; i++)
            count = (uint8_t)(count + (p[i] == c));
        total += count;
        p += n;
        len -= n;
    }
    return total;
}

static uint64_t get_number(const char *p, const char **ret_end)
{
    uint64_t n = 0;
    while (*p >= '0' && *p <= '9')
        n = n * 10 + (uint64_t)(*p++ - '0');
    *ret_end = p;
    return n;
}

/* What the line itself says: its number follows the sequence, its stamp is when it was written. */
static void check_text(struct load *l, struct reader *r, uint64_t seq, const char *text, bool stamp)
{
    int64_t gap = (int64_t)seq - (int64_t)line_get_digits(text, LINE_NUMBER_DIGITS);

    if (!r->has_gap) {
        r->text_gap = gap;
        r->has_gap = true;
        if (l->t.first_stamp_us == 0)
            l->t.first_stamp_us = line_get_digits(text + LINE_STAMP_AT, LINE_STAMP_DIGITS);
    }
    if (gap != r->text_gap)
        note_error(l, r, "the text has another number", seq - (uint64_t)gap);
    if (stamp)
        note_latency(l, l->now_us - line_get_digits(text + LINE_STAMP_AT, LINE_STAMP_DIGITS));
}

static void take_lines(struct load *l, struct reader *r, uint64_t first, uint64_t n)
{
    if (l->t.lines == 0)
        l->t.first_us = l->now_us;
    if (r->next != 0 && first != r->next)
        note_error(l, r, "sequence", first);
    r->next = first + n;
    l->t.lines += n;
    l->t.last_us = l->now_us;
    if (l->o.ring_lines > 0 && r->next > l->o.ring_lines)
        r->next = 1;
}

static void reader_is(struct load *l, struct reader *r, enum reader_state state)
{
    if (state == READER_READY && r->state == READER_WAITING)
        l->t.ready++;
    if (state == READER_DONE && r->state != READER_DONE) {
        l->t.ready += r->state == READER_WAITING;
        l->t.done++;
    }
    if (r->state < state)
        r->state = state;
}

static void is_it_done(struct load *l, struct reader *r)
{
    if (!l->o.until_end && l->o.lines > 0 && l->o.ring_lines == 0 && r->next > l->o.lines)
        reader_is(l, r, READER_DONE);
}

/* Every line's stamp: [1700000000000,"o","TEXT"] */
static void check_each(struct load *l, struct reader *r, uint64_t first, const char *p,
                       const char *end)
{
    const size_t text_at = 1 + TIME_DIGITS + sizeof ",\"o\",\"" - 1;

    for (uint64_t seq = first; (p = memchr(p, '[', (size_t)(end - p))) != NULL; seq++) {
        if (p + text_at + LINE_FILLER_AT > end)
            break;
        if (p[1 + TIME_DIGITS + 2] == 'o')
            check_text(l, r, seq, p + text_at, true);
        p += text_at;
    }
}

static void check_logs(struct load *l, struct reader *r, const char *p, size_t len)
{
    const char *at = p + sizeof LOGS_BEGIN - 1, *end = p + len;
    uint64_t first, n;

    if (r->exec && memcmp(at, r->exec, EXEC_ID_LEN) != 0)
        note_error(l, r, "another execution's lines", 0);
    first = get_number(at + EXEC_ID_LEN + sizeof LOGS_FIRST - 1, &at);
    at += sizeof ",\"lines\":[" - 1;
    n = count_byte(at, (size_t)(end - at), '[');
    take_lines(l, r, first, n);
    if (l->o.each_latency)
        check_each(l, r, first, at, end);
    else if (n > 0 && at[1 + TIME_DIGITS + 2] == 'o')
        check_text(l, r, first, at + 1 + TIME_DIGITS + sizeof ",\"o\",\"" - 1, false);
    is_it_done(l, r);
}

static void ended(struct load *l, struct reader *r)
{
    l->t.ended++;
    if (l->o.repeat > 0) {
        l->asks_us[l->n_asks++] = l->now_us - r->asked_us;
        if (l->n_asks < l->o.repeat) {
            r->next = 0;
            reader_subscribe(l, r);
            return;
        }
    }
    reader_is(l, r, READER_DONE);
}

static bool has_type(const char *p, size_t len, const char *type)
{
    const size_t at = sizeof "{\"type\":\"" - 1, n = strlen(type);
    return len > at + n && memcmp(p + at, type, n) == 0 && p[at + n] == '"';
}

static void check_v1(struct load *l, struct reader *r, const char *p, size_t len)
{
    if (has_type(p, len, "logs"))
        check_logs(l, r, p, len);
    else if (has_type(p, len, "live"))
        reader_is(l, r, READER_READY);
    else if (has_type(p, len, "end"))
        ended(l, r);
    else if (has_type(p, len, "error") || has_type(p, len, "gap"))
        note_error(l, r, p, 0);
}

static void check_runvoy(struct load *l, struct reader *r, const char *p, size_t len)
{
    const size_t seq_at = sizeof EVENT_BEGIN - 1 + EXEC_ID_LEN + 1;
    const size_t text_at = seq_at + SEQ_DIGITS + sizeof "\",\"timestamp\":" - 1 + TIME_DIGITS +
                           sizeof ",\"message\":\"" - 1;

    if (len > text_at && memcmp(p, EVENT_BEGIN, sizeof EVENT_BEGIN - 1) == 0) {
        uint64_t seq = line_get_digits(p + seq_at, SEQ_DIGITS);
        take_lines(l, r, seq, 1);
        if (l->o.each_latency || !r->has_gap)
            check_text(l, r, seq, p + text_at, l->o.each_latency);
        is_it_done(l, r);
    } else if (has_type(p, len, "disconnect")) {
        ended(l, r);
    } else {
        note_error(l, r, "unknown message", 0);
    }
}

/* Messages of other servers: one line or several, with or without a newline at the end. */
static void check_lines(struct load *l, struct reader *r, const char *p, size_t len)
{
    if (len < LINE_FILLER_AT)
        return;
    uint64_t n = count_byte(p, len, '\n') + (p[len - 1] != '\n');
    uint64_t seq = line_get_digits(p, LINE_NUMBER_DIGITS);
    if (l->t.first_stamp_us == 0)
        l->t.first_stamp_us = line_get_digits(p + LINE_STAMP_AT, LINE_STAMP_DIGITS);
    take_lines(l, r, seq, n);
    is_it_done(l, r);
}

static void check_frame(struct load *l, struct reader *r, unsigned opcode, char *p, size_t len)
{
    if (opcode == 9) {
        reader_pong(l, r, p, len);
    } else if (opcode == 8) {
        if (r->state != READER_DONE)
            note_error(l, r, "closed early",
                       len >= 2 ? (uint64_t)((uint8_t)p[0] << 8 | (uint8_t)p[1]) : 0);
        reader_is(l, r, READER_DONE);
    } else if (l->o.protocol == PROTOCOL_V1) {
        check_v1(l, r, p, len);
    } else if (l->o.protocol == PROTOCOL_RUNVOY) {
        check_runvoy(l, r, p, len);
    } else {
        check_lines(l, r, p, len);
    }
}

static size_t websocket(struct load *l, struct reader *r, const char *p, size_t len)
{
    const uint8_t *b = (const uint8_t *)p;
    size_t header = 2, n;

    if (len < 2)
        return 0;
    n = b[1] & 0x7fu;
    header += n == 126 ? 2u : n == 127 ? 8u : 0u;
    if (len < header)
        return 0;
    if (header > 2) {
        n = 0;
        for (size_t i = 2; i < header; i++)
            n = n << 8 | b[i];
    }
    if (len - header < n)
        return 0;
    l->t.frames++;
    check_frame(l, r, b[0] & 0xfu, (char *)(uintptr_t)p + header, n);
    return header + n;
}

/* MSG subject sid length\r\n payload \r\n */
static size_t nats(struct load *l, struct reader *r, const char *p, size_t len)
{
    const char *end = memchr(p, '\n', len), *at;
    size_t head, n;

    if (!end)
        return 0;
    head = (size_t)(end - p) + 1;
    if (memcmp(p, "PONG", 4) == 0)
        reader_is(l, r, READER_READY);
    if (memcmp(p, "-ERR", 4) == 0)
        note_error(l, r, "refused", 0);
    if (memcmp(p, "PING", 4) == 0)
        reader_pong(l, r, "", 0);
    if (memcmp(p, "MSG ", 4) != 0)
        return head;
    for (at = end; at[-1] != ' '; at--)
        ;
    n = get_number(at, &at);
    if (len < head + n + 2)
        return 0;
    l->t.frames++;
    check_lines(l, r, p + head, n);
    return head + n + 2;
}

size_t check_bytes(struct load *l, struct reader *r, const char *p, size_t len)
{
    size_t taken = 0, n;

    do {
        n = l->o.protocol == PROTOCOL_NATS ? nats(l, r, p + taken, len - taken)
                                           : websocket(l, r, p + taken, len - taken);
        taken += n;
    } while (n > 0 && taken < len);
    return taken;
}
