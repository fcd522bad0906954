/*
 * Two runs over the same lines. The reference gets each line whole. The other gets it in parts, is
 * asked for what it has after each, and is thrown away and begun anew from its marks now and then.
 * Each stream's bytes must come out the same, unless something was forced; and no form of a secret,
 * encoded here by other means than redact_forms.c's, may be in either.
 */
#include "redaction_check.h"

#include "base/buf.h"
#include "base/err.h"
#include "logs/redaction.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECRETS_MAX 3
#define RECORDS_MAX 400
#define TEXT_MAX (1u << 20)
#define STREAMS "oes"

struct input {
    const uint8_t *p;
    size_t n;
};

struct record {
    unsigned stream;
    uint8_t flags;
    size_t from, len; /* into text */
};

struct world {
    struct input in;
    struct redact_value secrets[SECRETS_MAX];
    uint8_t bytes[SECRETS_MAX][64];
    size_t count;
    struct buf text;
    struct record records[RECORDS_MAX];
    size_t n_records;
    bool forced;
    struct buf expected[REDACTION_STREAMS], found[REDACTION_STREAMS];
};

static void must(bool condition, const char *what)
{
    if (condition)
        return;
    (void)fprintf(stderr, "redaction_check: %s\n", what);
    abort();
}

static unsigned take(struct input *in, unsigned below)
{
    if (in->n == 0)
        return 0;
    in->n--;
    return *in->p++ % below;
}

/* ---- the world ---- */

static void make_secrets(struct world *w)
{
    static const char *const ALPHABETS[] = {"a", "ab", "ab/ \"", "xyz-_+/=%\\", "abc\n"};
    w->count = 1 + take(&w->in, SECRETS_MAX);
    for (size_t i = 0; i < w->count; i++) {
        const char *alphabet = ALPHABETS[take(&w->in, 5)];
        size_t len = 6 + take(&w->in, 40);
        for (size_t k = 0; k < len; k++)
            w->bytes[i][k] = (uint8_t)alphabet[take(&w->in, (unsigned)strlen(alphabet))];
        w->secrets[i] = (struct redact_value){w->bytes[i], len};
    }
}

static void append(struct buf *b, const void *p, size_t n)
{
    must(buf_append(b, p, n) == 0, "the check's own buffer");
}

static void append_base64(struct buf *b, const uint8_t *p, size_t n, size_t skip, const char *last)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    uint32_t bits = 0;
    unsigned have = 0;
    for (size_t i = 0; i < skip + n; i++) {
        bits = bits << 8 | (i < skip ? 'Q' : p[i - skip]);
        for (have += 8; have >= 6; have -= 6) {
            unsigned digit = bits >> (have - 6) & 63u;
            append(b, digit < 62 ? &first[digit] : &last[digit - 62], 1);
        }
    }
}

static void append_url(struct buf *b, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if ((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z')
            append(b, &p[i], 1);
        else
            must(buf_printf(b, "%%%02X", p[i]) == 0, "the check's own buffer");
    }
}

/* Some text without a line's end. */
static void append_text(struct world *w, struct buf *b)
{
    const struct redact_value *s = &w->secrets[take(&w->in, (unsigned)w->count)];
    size_t part = take(&w->in, (unsigned)s->len + 1);
    switch (take(&w->in, 6)) {
    case 0:
    case 1:
        append(b, s->p, s->len);
        break;
    case 2:
        append(b, s->p, part);
        break;
    case 3:
        append_base64(b, s->p, s->len, take(&w->in, 3), take(&w->in, 2) ? "+/" : "-_");
        break;
    case 4:
        append_url(b, s->p, s->len);
        break;
    default:
        append(b, "ab.xyz", take(&w->in, 7));
        break;
    }
}

static bool add_record(struct world *w, unsigned stream, uint8_t flags, size_t from, size_t len)
{
    if (w->n_records == RECORDS_MAX)
        return false;
    w->records[w->n_records++] = (struct record){stream, flags, from, len};
    return true;
}

/* Each stream's lines one after the other, their parts among those of the others. */
static void make_records(struct world *w)
{
    size_t from[REDACTION_STREAMS], len[REDACTION_STREAMS] = {0};
    while (w->in.n > 0) {
        unsigned s = take(&w->in, REDACTION_STREAMS);
        if (len[s] == 0) {
            struct buf line = {.max = 4096};
            for (unsigned i = 0, n = take(&w->in, 4); i < n; i++)
                append_text(w, &line);
            /* A newline in a secret ends lines too. */
            for (size_t i = 0; i < line.len; i++)
                line.data[i] = line.data[i] == '\n' ? ';' : line.data[i];
            append(&line, ".", 1); /* no base64: that goes on in the next line */
            from[s] = w->text.len;
            len[s] = line.len;
            append(&w->text, line.data, line.len);
            buf_done(&line);
        }
        size_t n = 1 + take(&w->in, 12);
        if (n > len[s])
            n = len[s];
        if (!add_record(w, s, n < len[s] ? LINE_PART : 0, from[s], n))
            return;
        from[s] += n;
        len[s] -= n;
    }
}

/* ---- running ---- */

static struct redaction *begin(const struct world *w, bool is_begun)
{
    struct redactor *r = NULL;
    struct redaction *x = NULL;
    must(redactor_new(w->secrets, w->count, REDACT_FORMS_MAX, &r) == 0 && r, "redactor_new");
    must(redaction_new(r, 65536, is_begun, &x) == 0, "redaction_new");
    return x;
}

static struct redaction_line line_of(const struct world *w, size_t i)
{
    const struct record *r = &w->records[i];
    return (struct redaction_line){
        .time_us = (int64_t)i,
        .end = i + 1,
        .stream = (uint8_t)STREAMS[r->stream],
        .flags = r->flags,
        .p = (const uint8_t *)w->text.data + r->from,
        .len = r->len,
    };
}

/* A line that comes out must be the next one. */
static void give_out(struct world *w, size_t *out, const struct redaction_line *l)
{
    const struct record *r = &w->records[*out];
    must(l->end == *out + 1 && l->stream == (uint8_t)STREAMS[r->stream] && l->flags == r->flags,
         "order");
    append(&w->found[r->stream], l->p, l->len);
    if (!(l->flags & LINE_PART))
        append(&w->found[r->stream], "\n", 1);
    (*out)++;
}

static void drain(struct world *w, struct redaction *x, size_t *out, size_t max)
{
    struct redaction_line l;
    while (max-- > 0 && redaction_peek(x, &l) == 0) {
        give_out(w, out, &l);
        redaction_pop(x);
    }
}

/* What a new start knows: the marks' bytes. What waited is put in again. */
static struct redaction *start_anew(const struct world *w, struct redaction *old)
{
    struct redaction_marks marks;
    uint8_t text[REDACTION_STREAMS][REDACT_PIECE];
    size_t len[REDACTION_STREAMS];
    redaction_marks(old, &marks);
    for (unsigned s = 0; s < REDACTION_STREAMS; s++)
        len[s] = redaction_mark_text(old, marks.state[s], text[s]);
    redaction_free(old);
    struct redaction *x = begin(w, true);
    for (unsigned s = 0; s < REDACTION_STREAMS; s++)
        redaction_restore(x, s, text[s], len[s]);
    return x;
}

static void run(struct world *w, const struct input *choices)
{
    struct input in = *choices;
    struct redaction *x = begin(w, false);
    size_t out = 0;
    for (size_t i = 0; i < w->n_records; i++) {
        struct redaction_line l = line_of(w, i);
        if (redaction_is_clean(x, &l)) {
            give_out(w, &out, &l);
            redaction_passed(x, &l);
        } else {
            must(redaction_put(x, &l) == 0, "redaction_put");
        }
        unsigned what = take(&in, 16);
        if (what == 1) {
            w->forced = true;
            must(redaction_force(x) == 0, "redaction_force");
        }
        if (what != 2) /* 2: memory is short just now */
            drain(w, x, &out, what == 4 ? take(&in, 3) : SIZE_MAX);
        if (what == 3 || what == 4) { /* a chunk ends here, and the program */
            x = start_anew(w, x);
            i = out - 1;
        }
    }
    redaction_finish(x);
    drain(w, x, &out, SIZE_MAX);
    must(out == w->n_records, "lines lost");
    redaction_free(x);
}

static void run_whole(struct world *w)
{
    struct redaction *x = begin(w, false);
    for (unsigned s = 0; s < REDACTION_STREAMS; s++) {
        struct buf line = {.max = TEXT_MAX};
        for (size_t i = 0; i < w->n_records; i++) {
            const struct record *r = &w->records[i];
            if (r->stream != s)
                continue;
            append(&line, w->text.data + r->from, r->len);
            struct redaction_line l = line_of(w, i);
            if (r->flags & LINE_PART)
                continue;
            l.p = (const uint8_t *)line.data;
            l.len = line.len;
            must(redaction_put(x, &l) == 0, "redaction_put");
            must(redaction_peek(x, &l) == 0, "a whole line waits");
            append(&w->expected[s], l.p, l.len);
            append(&w->expected[s], "\n", 1);
            redaction_pop(x);
            buf_clear(&line);
        }
        if (line.len > 0) { /* its rest did not fit into the records */
            struct redaction_line l = {.stream = (uint8_t)STREAMS[s], .flags = LINE_NO_EOL};
            l.p = (const uint8_t *)line.data;
            l.len = line.len;
            must(redaction_put(x, &l) == 0 && redaction_peek(x, &l) == 0, "redaction_put");
            append(&w->expected[s], l.p, l.len);
            redaction_pop(x);
        }
        buf_done(&line);
    }
    redaction_free(x);
}

/* ---- judging ---- */

static void must_not_have(const struct buf *b, const void *p, size_t n, const char *what)
{
    must(n < 6 || b->len < n || !memmem(b->data, b->len, p, n), what);
}

static void check_secret(const struct buf *b, const struct redact_value *s)
{
    struct buf form = {.max = 4096};
    if (memchr(s->p, '\n', s->len))
        return; /* its lines are secrets of their own; trimmed */
    must_not_have(b, s->p, s->len, "a secret as it is");
    /* Blanks at its ends are none of the secret in its encoded forms. */
    const uint8_t *p = s->p;
    if (p[0] != ' ' && p[s->len - 1] != ' ') {
        for (size_t skip = 0; skip < 3; skip++) {
            size_t first = (skip * 8 + 5) / 6;
            append_base64(&form, p, s->len, skip, "+/");
            must_not_have(b, form.data + first, form.len - first, "a secret in base64");
            buf_clear(&form);
        }
        append_url(&form, p, s->len);
        must_not_have(b, form.data, form.len, "a secret URL-encoded");
    }
    buf_done(&form);
}

/* What is between two `***` of more must stand between two of less, in order: more masks more. */
static void must_mask(const struct buf *more, const struct buf *less)
{
    if (more->len == 0)
        return;
    /* A buffer that nothing was put into has no data to count from. */
    const char *at = less->data ? less->data : "", *end = at + less->len, *p = more->data;
    const char *stop = more->data + more->len;
    while (p < stop) {
        const char *mask = memmem(p, (size_t)(stop - p), "***", 3);
        size_t n = (size_t)((mask ? mask : stop) - p);
        const char *found = n > 0 ? memmem(at, (size_t)(end - at), p, n) : at;
        must(found != NULL, "shown, but not by whole lines");
        at = found + n;
        p += n + (mask ? 3 : 0);
    }
}

void redaction_check(const uint8_t *data, size_t size)
{
    struct world *w = calloc(1, sizeof *w);
    must(w != NULL, "memory");
    w->in = (struct input){data, size};
    buf_init(&w->text, TEXT_MAX);
    for (unsigned s = 0; s < REDACTION_STREAMS; s++) {
        buf_init(&w->expected[s], TEXT_MAX);
        buf_init(&w->found[s], TEXT_MAX);
    }
    make_secrets(w);
    const struct input choices = w->in;
    make_records(w);
    run_whole(w);
    run(w, &choices);
    for (unsigned s = 0; s < REDACTION_STREAMS; s++) {
        const struct buf *e = &w->expected[s], *f = &w->found[s];
        must(w->forced || (e->len == f->len && (e->len == 0 || !memcmp(e->data, f->data, e->len))),
             "not what whole lines give");
        must_mask(f, e);
        for (size_t i = 0; i < w->count; i++) {
            check_secret(e, &w->secrets[i]);
            check_secret(f, &w->secrets[i]);
        }
        buf_done(&w->expected[s]);
        buf_done(&w->found[s]);
    }
    buf_done(&w->text);
    free(w);
}
