/*
 * The queue of lines that wait, and the secrets found in them. A stream's bytes are numbered; a
 * find is a span of those numbers, and finds that overlap are one. A line's final bytes are made
 * when it is given out.
 *
 *   stream:  ┊ line ┊   line    ┊ line ┊      ▼ number of the next byte
 *            ....[span).....[span........[open end)
 *
 * The open end is what the automaton's state stands for: it may become part of a find. Behind a
 * line nothing is open when no span reaches across its end and the open end begins behind it.
 */
#include "logs/redaction.h"

#include "base/buf.h"
#include "base/err.h"
#include "logs/redact_internal.h"
#include "logs/redaction_line.h"

#include <string.h>

/* base64 of coreutils and MIME (RFC 2045 6.8); of PEM (RFC 7468 section 2). */
#define WRAP_MIME 76u
#define WRAP_PEM 64u

static const char MASK[] = "***";

struct span {
    uint64_t from, to;
};

struct stream {
    uint32_t state;
    uint64_t next;     /* number of the next byte */
    struct list lines; /* of the queue */
    struct span *spans;
    size_t n_spans, spans_size;
    /* The last line that was given out. */
    uint64_t out_to;
    uint32_t out_state;
    bool out_crossed;
    /* Of the line that is not finished yet, for wrapped base64. */
    size_t line_len;
    bool is_base64, is_cut; /* is_cut: its beginning was not seen */
};

struct redaction {
    struct redactor *redactor;
    const struct automaton *a;
    struct list queue;
    size_t ready; /* lines at its beginning that can be given out */
    size_t bytes;
    struct stream streams[REDACTION_STREAMS];
    struct buf out;
};

static unsigned stream_index(uint8_t stream)
{
    return stream == STREAM_STDOUT ? 0 : stream == STREAM_STDERR ? 1 : 2;
}

/* ---- life cycle ---- */

int redaction_new(struct redactor *r, size_t line_max, bool is_begun, struct redaction **ret)
{
    struct redaction *x = calloc(1, sizeof *x);
    if (!x) {
        redactor_free(r);
        return ERR_NOMEM;
    }
    x->redactor = r;
    x->a = r->automaton;
    list_init(&x->queue);
    buf_init(&x->out, line_max);
    for (unsigned i = 0; i < REDACTION_STREAMS; i++) {
        list_init(&x->streams[i].lines);
        x->streams[i].is_base64 = true;
        x->streams[i].is_cut = is_begun;
    }
    *ret = x;
    return 0;
}

/* node: taken off the queue. */
static void drop(struct redaction *x, struct list *node)
{
    struct line *w = LIST_ENTRY(node, struct line, in_queue);
    list_remove(&w->in_stream);
    x->bytes -= sizeof *w + w->l.len;
    line_free(w);
}

void redaction_clear(struct redaction *x)
{
    for (struct list *node; (node = list_pop(&x->queue)) != NULL;)
        drop(x, node);
    x->ready = 0;
}

void redaction_free(struct redaction *x)
{
    if (!x)
        return;
    redaction_clear(x);
    for (unsigned i = 0; i < REDACTION_STREAMS; i++)
        free(x->streams[i].spans);
    buf_done(&x->out);
    redactor_free(x->redactor);
    free(x);
}

size_t redaction_bytes(const struct redaction *x)
{
    size_t spans = 0;
    for (unsigned i = 0; i < REDACTION_STREAMS; i++)
        spans += x->streams[i].n_spans;
    return x->bytes + spans * sizeof(struct span);
}

/* ---- wrapped base64 ---- */

static bool is_base64(const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = p[i];
        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
              c == '+' || c == '/' || c == '-' || c == '_'))
            return false;
    }
    return true;
}

/* Whether l ends its line, and as wrapped base64 does. */
static bool does_wrap(const struct stream *s, const struct redaction_line *l)
{
    size_t len = s->line_len + l->len;
    if (l->flags & (LINE_PART | LINE_NO_EOL) || !s->is_base64 || len > WRAP_MIME)
        return false;
    return (s->is_cut || len == WRAP_MIME || len == WRAP_PEM) && is_base64(l->p, l->len);
}

/* l is of the stream's unfinished line, or ends it. */
static void mind_line(struct stream *s, const struct redaction_line *l)
{
    if (!(l->flags & LINE_PART)) {
        s->line_len = 0;
        s->is_base64 = true;
        s->is_cut = false;
        return;
    }
    if (s->is_base64)
        s->is_base64 = s->line_len + l->len <= WRAP_MIME && is_base64(l->p, l->len);
    if (s->is_base64)
        s->line_len += l->len;
}

/* ---- lines that need nothing ---- */

bool redaction_is_clean(const struct redaction *x, const struct redaction_line *l)
{
    const struct stream *s = &x->streams[stream_index(l->stream)];
    uint32_t state = s->state;
    size_t found = 0;
    if (!list_is_empty(&x->queue) || state != AUTOMATON_ROOT)
        return false;
    (void)automaton_scan(x->a, &state, l->p, l->len, &found);
    if (found > 0)
        return false;
    return state == AUTOMATON_ROOT || (!(l->flags & LINE_PART) && !does_wrap(s, l));
}

void redaction_passed(struct redaction *x, const struct redaction_line *l)
{
    struct stream *s = &x->streams[stream_index(l->stream)];
    mind_line(s, l);
    s->next += l->len;
    s->out_to = s->next;
    s->out_state = AUTOMATON_ROOT;
    s->out_crossed = false;
    s->n_spans = 0;
}

/* ---- finding ---- */

/* Room for `more` spans. */
static int reserve_spans(struct stream *s, size_t more)
{
    if (s->n_spans + more <= s->spans_size)
        return 0;
    size_t size = (s->n_spans + more) * 2;
    struct span *wider = reallocarray(s->spans, size, sizeof *wider);
    if (!wider)
        return ERR_NOMEM;
    s->spans = wider;
    s->spans_size = size;
    return 0;
}

/* The room is there. */
static void add_span(struct stream *s, uint64_t from, uint64_t to)
{
    while (s->n_spans > 0 && s->spans[s->n_spans - 1].to > from) {
        s->n_spans--;
        if (s->spans[s->n_spans].from < from)
            from = s->spans[s->n_spans].from;
    }
    s->spans[s->n_spans++] = (struct span){from, to};
}

/* A find from `from` to somewhere behind the ends of all lines before: those that it goes across.
 */
static void cross_ends(struct stream *s, uint64_t from)
{
    for (struct list *it = s->lines.prev; it != &s->lines; it = it->prev) {
        struct line *w = LIST_ENTRY(it, struct line, in_stream);
        if (w->to <= from)
            return;
        w->is_crossed = true;
    }
    if (s->out_to > from)
        s->out_crossed = true;
}

static void find(struct redaction *x, struct stream *s, const uint8_t *p, size_t len)
{
    size_t at = 0, length = 0;
    while (at < len) {
        at += automaton_scan(x->a, &s->state, p + at, len - at, &length);
        if (length == 0)
            break;
        uint64_t to = s->next + at, from = to - length;
        add_span(s, from, to);
        if (from < s->next)
            cross_ends(s, from);
    }
    s->next += len;
}

/* ---- what can be given out ---- */

static uint64_t open_from(const struct redaction *x, const struct stream *s)
{
    return s->next - automaton_depth(x->a, s->state);
}

static bool is_closed(const struct redaction *x, const struct line *w)
{
    const struct stream *s = &x->streams[stream_index(w->l.stream)];
    return !w->is_crossed && (s->state == AUTOMATON_ROOT || open_from(x, s) >= w->to);
}

/* The longest beginning of the queue behind which no stream is open. */
static void look(struct redaction *x)
{
    bool is_open[REDACTION_STREAMS] = {false};
    size_t i = 0;
    x->ready = 0;
    LIST_FOREACH (it, &x->queue) {
        const struct line *w = LIST_ENTRY(it, struct line, in_queue);
        i++;
        is_open[stream_index(w->l.stream)] = !is_closed(x, w);
        if (!is_open[0] && !is_open[1] && !is_open[2])
            x->ready = i;
    }
}

/* Whether the stream's last waiting line is open: what other streams bring changes nothing then. */
static bool is_waiting(const struct redaction *x, const struct stream *s)
{
    return !list_is_empty(&s->lines) &&
           !is_closed(x, LIST_ENTRY(s->lines.prev, struct line, in_stream));
}

static bool other_waits(const struct redaction *x, const struct stream *s)
{
    for (unsigned i = 0; i < REDACTION_STREAMS; i++) {
        if (&x->streams[i] != s && is_waiting(x, &x->streams[i]))
            return true;
    }
    return false;
}

int redaction_put(struct redaction *x, const struct redaction_line *l)
{
    struct stream *s = &x->streams[stream_index(l->stream)];
    struct line *w = line_new(l);
    if (!w || reserve_spans(s, l->len / AUTOMATON_STRING_MIN + 2) < 0) {
        line_free(w);
        return ERR_NOMEM;
    }
    bool was_waiting = is_waiting(x, s);
    w->from = s->next;
    find(x, s, w->bytes, l->len);
    w->to = s->next;
    if (!(l->flags & LINE_PART))
        s->state = s->state != AUTOMATON_ROOT && does_wrap(s, l) ? automaton_wrap(x->a, s->state)
                                                                 : AUTOMATON_ROOT;
    mind_line(s, l);
    w->state = s->state;
    list_append(&x->queue, &w->in_queue);
    list_append(&s->lines, &w->in_stream);
    x->bytes += sizeof *w + l->len;
    if (was_waiting || !other_waits(x, s))
        look(x);
    return 0;
}

void redaction_finish(struct redaction *x)
{
    for (unsigned i = 0; i < REDACTION_STREAMS; i++) {
        x->streams[i].state = AUTOMATON_ROOT;
        x->streams[i].is_cut = true;
    }
    look(x);
}

static size_t count(const struct list *head)
{
    size_t n = 0;
    LIST_FOREACH (it, head) {
        n++;
    }
    return n;
}

int redaction_force(struct redaction *x)
{
    for (unsigned i = 0; i < REDACTION_STREAMS; i++) {
        if (reserve_spans(&x->streams[i], 1) < 0)
            return ERR_NOMEM;
    }
    for (unsigned i = 0; i < REDACTION_STREAMS; i++) {
        struct stream *s = &x->streams[i];
        if (s->state != AUTOMATON_ROOT && !list_is_empty(&s->lines))
            add_span(s, open_from(x, s), s->next);
    }
    x->ready = count(&x->queue);
    return 0;
}

/* ---- giving out ---- */

int redaction_peek(struct redaction *x, struct redaction_line *ret)
{
    if (x->ready == 0)
        return ERR_AGAIN;
    const struct line *w = LIST_ENTRY(x->queue.next, struct line, in_queue);
    const struct stream *s = &x->streams[stream_index(w->l.stream)];
    uint64_t at = w->from;
    buf_clear(&x->out);
    /* `***` is longer than what it stands for only at the line's end, where a find begins that goes
     * on in the next one: there it is cut if there is no room for it. */
    if (buf_reserve(&x->out,
                    w->l.len < x->out.max - sizeof MASK ? w->l.len + sizeof MASK : x->out.max) < 0)
        return ERR_NOMEM;
    for (size_t i = 0; i < s->n_spans && s->spans[i].from < w->to; i++) {
        const struct span *d = &s->spans[i];
        if (d->to <= at)
            continue;
        if (d->from >= at) {
            size_t room = x->out.max - x->out.len - (size_t)(d->from - at);
            (void)!buf_append(&x->out, w->bytes + (at - w->from), (size_t)(d->from - at));
            (void)!buf_append(&x->out, MASK, room < strlen(MASK) ? room : strlen(MASK));
        }
        at = d->to;
    }
    if (at < w->to)
        (void)!buf_append(&x->out, w->bytes + (at - w->from), (size_t)(w->to - at));
    *ret = w->l;
    ret->p = (const uint8_t *)(x->out.data ? x->out.data : "");
    ret->len = x->out.len;
    return 0;
}

void redaction_pop(struct redaction *x)
{
    const struct line *w = LIST_ENTRY(x->queue.next, struct line, in_queue);
    struct stream *s = &x->streams[stream_index(w->l.stream)];
    size_t gone = 0;
    s->out_to = w->to;
    s->out_state = w->state;
    s->out_crossed = w->is_crossed;
    while (gone < s->n_spans && s->spans[gone].to <= w->to)
        gone++;
    if (gone > 0) {
        s->n_spans -= gone;
        memmove(s->spans, s->spans + gone, s->n_spans * sizeof *s->spans);
    }
    x->ready--;
    drop(x, list_pop(&x->queue));
}

/* ---- marks ---- */

void redaction_marks(const struct redaction *x, struct redaction_marks *ret)
{
    for (unsigned i = 0; i < REDACTION_STREAMS; i++) {
        const struct stream *s = &x->streams[i];
        bool is_open =
            s->out_crossed || (s->state != AUTOMATON_ROOT && open_from(x, s) < s->out_to);
        ret->state[i] = is_open ? s->out_state : AUTOMATON_ROOT;
    }
}

size_t redaction_mark_text(const struct redaction *x, uint32_t state, uint8_t *ret)
{
    automaton_text(x->a, state, ret);
    return automaton_depth(x->a, state);
}

void redaction_restore(struct redaction *x, unsigned stream, const uint8_t *text, size_t len)
{
    struct stream *s = &x->streams[stream];
    size_t at = 0, length = 0;
    while (at < len)
        at += automaton_scan(x->a, &s->state, text + at, len - at, &length);
    s->next = len;
    s->out_to = len;
    s->out_state = s->state;
}
