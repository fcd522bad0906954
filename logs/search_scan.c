/*
 * Looking through chunks. Of each stream at most one line is unfinished: its parts wait until the
 * line is whole. Forward a record without LINE_PART ends it; backward it begins one, which is whole
 * when the record before it in the stream is seen and does not go on in it.
 */
#include "logs/search_scan.h"

#include "base/clock.h"
#include "logs/search_found.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS_A_LOOK 16u /* at the clock */
#define LINE_MS_MAX 500    /* all matches in one line */

struct part {
    uint64_t seq;
    int64_t time_us;
    const char *text;
    uint32_t len;
    bool is_ours; /* text is a copy */
    bool is_dull; /* cannot match by itself */
};

struct joined { /* parts as they came */
    struct part *parts;
    size_t n, cap, bytes;
};

struct scan {
    struct scan_opts opts;
    struct joined open[SEARCH_STREAMS];
    struct found found;
    uint64_t restart[SEARCH_STREAMS]; /* of a line that was still written; 0 = none */
    uint64_t looked;                  /* last record looked at; 0 = none */
    uint64_t seq;                     /* of the line looked at last */
    uint32_t index;                   /* records of the chunk that were looked at */
    bool in_chunk, is_dull, is_finished;
};

int scan_new(const struct scan_opts *opts, struct scan **ret)
{
    struct scan *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->opts = *opts;
    found_init(&s->found);
    *ret = s;
    return 0;
}

static void joined_clear(struct joined *j)
{
    for (size_t i = 0; i < j->n; i++) {
        if (j->parts[i].is_ours)
            free((char *)(uintptr_t)j->parts[i].text);
    }
    j->n = j->bytes = 0;
}

void scan_free(struct scan *s)
{
    if (!s)
        return;
    for (size_t k = 0; k < SEARCH_STREAMS; k++) {
        joined_clear(&s->open[k]);
        free(s->open[k].parts);
    }
    found_done(&s->found);
    free(s);
}

uint64_t scan_seq(const struct scan *s)
{
    return s->seq;
}

static size_t stream_index(uint8_t stream)
{
    return stream == STREAM_STDOUT ? 0 : stream == STREAM_STDERR ? 1 : 2;
}

static uint8_t stream_of(size_t k)
{
    static const uint8_t streams[SEARCH_STREAMS] = {STREAM_STDOUT, STREAM_STDERR, STREAM_SYSTEM};
    return streams[k];
}

/* ---- one line ---- */

static int find_matches(struct scan *s, const char *text, size_t len, uint64_t *ret_matches)
{
    int64_t end_us = len > PATTERN_SHORT_BYTES ? clock_mono_us() + LINE_MS_MAX * 1000 : INT64_MAX;
    size_t from = 0, start = 0, end = 0;
    uint64_t matches = 0;
    int rc = 0;
    while ((rc = pattern_next(s->opts.pattern, text, len, from, &start, &end)) == 0) {
        matches++;
        if (!s->opts.count_only && matches <= SEARCH_SPANS_MAX &&
            found_add_span(&s->found, start, end) < 0)
            return ERR_NOMEM;
        from = end > from ? end : from + 1;
        if (end_us != INT64_MAX && clock_mono_us() > end_us)
            return ERR_LIMIT;
    }
    if (rc == ERR_END && matches == 0) {
        rc = pattern_matches_empty(s->opts.pattern, text, len);
        matches = rc == 0;
    }
    *ret_matches = matches;
    return rc == ERR_END ? 0 : rc;
}

static int look(struct scan *s, struct search_line *line)
{
    s->seq = line->first_seq;
    found_forget_spans(&s->found);
    int rc = find_matches(s, line->text, line->len, &line->matches);
    if (rc < 0 || line->matches == 0)
        return rc;
    s->found.n_lines++;
    s->found.matches += line->matches;
    return s->opts.count_only ? 0 : found_add_line(&s->found, line);
}

/* ---- parts ---- */

/* The parts' bytes in the order of their numbers; *ret is to be freed. */
static int join(const struct scan *s, const struct joined *j, char **ret)
{
    char *text = malloc(j->bytes + 1);
    size_t at = 0;
    if (!text)
        return ERR_NOMEM;
    for (size_t i = 0; i < j->n; i++) {
        const struct part *p = &j->parts[s->opts.backward ? j->n - 1 - i : i];
        memcpy(text + at, p->text, p->len);
        at += p->len;
    }
    *ret = text;
    return 0;
}

static const struct part *first_part(const struct scan *s, const struct joined *j)
{
    return &j->parts[s->opts.backward ? j->n - 1 : 0];
}

static const struct part *last_part(const struct scan *s, const struct joined *j)
{
    return &j->parts[s->opts.backward ? 0 : j->n - 1];
}

/* The line of stream k is whole, or as much as is joined. */
static int finish_line(struct scan *s, size_t k)
{
    struct joined *j = &s->open[k];
    char *text = NULL;
    int rc = 0;
    if (j->n == 0)
        return 0;
    const struct part *first = first_part(s, j);
    struct search_line line = {
        .first_seq = first->seq,
        .last_seq = last_part(s, j)->seq,
        .time_us = first->time_us,
        .stream = stream_of(k),
        .text = first->text,
        .len = j->bytes,
    };
    if (j->n > 1) {
        rc = join(s, j, &text);
        line.text = text;
    }
    if (rc == 0 && !(j->n == 1 && first->is_dull))
        rc = look(s, &line);
    free(text);
    joined_clear(j);
    return rc;
}

static bool fits(const struct joined *j, uint64_t seq, uint32_t len)
{
    uint64_t first = j->parts[0].seq;
    uint64_t span = seq > first ? seq - first : first - seq;
    return span < SEARCH_JOIN_SPAN && j->bytes + len <= SEARCH_JOIN_BYTES;
}

static int add_part(struct joined *j, const struct part *p)
{
    if (j->n == j->cap) {
        size_t cap = j->cap ? j->cap * 2 : 4; /* at most SEARCH_JOIN_SPAN parts: fits() */
        struct part *parts = realloc(j->parts, cap * sizeof *parts);
        if (!parts)
            return ERR_NOMEM;
        j->parts = parts;
        j->cap = cap;
    }
    j->parts[j->n++] = *p;
    j->bytes += p->len;
    return 0;
}

/* The chunk goes: what is still open keeps its own bytes. */
static int own_parts(struct joined *j)
{
    for (size_t i = j->n; i > 0 && !j->parts[i - 1].is_ours; i--) {
        struct part *p = &j->parts[i - 1];
        char *copy = malloc((size_t)p->len + 1);
        if (!copy)
            return ERR_NOMEM;
        if (p->len > 0)
            memcpy(copy, p->text, p->len);
        p->text = copy;
        p->is_ours = true;
    }
    return 0;
}

/* ---- records ---- */

static bool is_full(const struct scan *s)
{
    return found_bytes(&s->found) >= SEARCH_PAGE_BYTES ||
           (!s->opts.count_only && s->found.n >= s->opts.limit);
}

static bool is_done(const struct scan *s, size_t k, uint64_t seq)
{
    uint64_t done = s->opts.from.done[k];
    return seq > s->opts.last_seq || (s->opts.backward ? seq >= done : seq <= done);
}

static int take_forward(struct scan *s, size_t k, bool goes_on, const struct part *p)
{
    struct joined *j = &s->open[k];
    if (j->n == 0 && !goes_on) {
        struct search_line line = {.first_seq = p->seq,
                                   .last_seq = p->seq,
                                   .time_us = p->time_us,
                                   .stream = stream_of(k),
                                   .text = p->text,
                                   .len = p->len};
        return p->is_dull ? 0 : look(s, &line);
    }
    int rc = j->n > 0 && !fits(j, p->seq, p->len) ? finish_line(s, k) : 0;
    if (rc == 0)
        rc = add_part(j, p);
    if (rc == 0 && !goes_on && !is_full(s))
        rc = finish_line(s, k);
    return rc;
}

static int take_backward(struct scan *s, size_t k, bool goes_on, const struct part *p)
{
    struct joined *j = &s->open[k];
    int rc = j->n > 0 && (!goes_on || !fits(j, p->seq, p->len)) ? finish_line(s, k) : 0;
    return rc < 0 ? rc : add_part(j, p);
}

static int take(struct scan *s, const struct chunk *c, uint32_t i)
{
    const struct chunk_line *l = &c->lines[i];
    const struct part p = {.seq = c->first_seq + i,
                           .time_us = l->time_us,
                           .text = c->text + l->offset,
                           .len = l->len,
                           .is_dull = s->is_dull};
    size_t k = stream_index(l->stream);
    bool goes_on = (l->flags & LINE_PART) != 0;
    if (is_done(s, k, p.seq))
        return 0;
    s->looked = p.seq;
    return s->opts.backward ? take_backward(s, k, goes_on, &p) : take_forward(s, k, goes_on, &p);
}

/* Lines whose next part is too far away, if there is one at all. */
static int finish_stale(struct scan *s, const struct chunk *c)
{
    uint64_t edge = s->opts.backward ? chunk_last_seq(c) : c->first_seq;
    int rc = 0;
    for (size_t k = 0; k < SEARCH_STREAMS && rc == 0; k++) {
        if (s->open[k].n > 0 && !fits(&s->open[k], edge, 0))
            rc = finish_line(s, k);
    }
    return rc;
}

/* Whether this scan looked at a record that none before it had. */
static bool has_progress(const struct scan *s)
{
    const uint64_t *done = s->opts.from.done;
    for (size_t k = 0; k < SEARCH_STREAMS; k++) {
        if (s->opts.backward ? s->looked >= done[k] : s->looked <= done[k])
            return false;
    }
    return s->looked != 0;
}

static int look_at_clock(const struct scan *s, int64_t slice_end_us, int64_t deadline_us)
{
    int64_t now_us = clock_mono_us();
    if (now_us >= deadline_us && has_progress(s))
        return ERR_TIMEOUT;
    return now_us >= slice_end_us ? ERR_AGAIN : 0;
}

static int begin_chunk(struct scan *s, const struct chunk *c)
{
    s->in_chunk = true;
    s->index = 0;
    s->is_dull = !pattern_may_occur(s->opts.pattern, c->text, c->text_len);
    return finish_stale(s, c);
}

int scan_chunk(struct scan *s, const struct chunk *c, int64_t slice_end_us, int64_t deadline_us)
{
    int rc = s->in_chunk ? 0 : begin_chunk(s, c);
    if (rc == 0 && is_full(s))
        rc = ERR_END;
    while (rc == 0 && s->index < c->n_lines) {
        uint32_t i = s->opts.backward ? c->n_lines - 1 - s->index : s->index;
        s->index++;
        rc = take(s, c, i);
        if (rc == 0 && is_full(s))
            rc = ERR_END;
        if (rc == 0 && s->index % RECORDS_A_LOOK == 0)
            rc = look_at_clock(s, slice_end_us, deadline_us);
    }
    if (rc == ERR_AGAIN)
        return rc;
    s->in_chunk = false;
    for (size_t k = 0; k < SEARCH_STREAMS && rc == 0; k++)
        rc = own_parts(&s->open[k]);
    return rc == 0 ? look_at_clock(s, INT64_MAX, deadline_us) : rc;
}

int scan_finish(struct scan *s)
{
    int rc = 0;
    /* By their ends, so that the order of the page goes on. */
    for (size_t round = 0; round < SEARCH_STREAMS && rc == 0; round++) {
        size_t next = SEARCH_STREAMS;
        for (size_t k = 0; k < SEARCH_STREAMS; k++) {
            if (s->open[k].n == 0)
                continue;
            if (next == SEARCH_STREAMS || (last_part(s, &s->open[k])->seq <
                                           last_part(s, &s->open[next])->seq) != s->opts.backward)
                next = k;
        }
        if (next == SEARCH_STREAMS)
            break;
        if (!s->opts.ended && !s->opts.backward)
            s->restart[next] = first_part(s, &s->open[next])->seq;
        rc = finish_line(s, next);
    }
    s->is_finished = rc == 0;
    return rc;
}

/* ---- the page ---- */

static uint64_t position(const struct scan *s, size_t k)
{
    const struct joined *j = &s->open[k];
    uint64_t from = s->opts.from.done[k];
    if (s->opts.backward) {
        if (s->is_finished)
            return 1;
        if (j->n > 0)
            return last_part(s, j)->seq + 1;
        return s->looked != 0 && s->looked < from ? s->looked : from;
    }
    if (s->restart[k] > 0)
        return s->restart[k] - 1;
    if (s->is_finished)
        return s->opts.last_seq > from ? s->opts.last_seq : from;
    if (j->n > 0)
        return first_part(s, j)->seq - 1;
    return s->looked > from ? s->looked : from;
}

void scan_page(struct scan *s, struct search_page *ret)
{
    struct search_page page = {.n_lines = s->found.n_lines, .matches = s->found.matches};
    for (size_t k = 0; k < SEARCH_STREAMS; k++) {
        uint64_t at = position(s, k);
        page.position.done[k] = at;
        if (k == 0 || (s->opts.backward ? at > page.searched_to : at < page.searched_to))
            page.searched_to = at;
    }
    page.more = !s->is_finished &&
                (s->opts.backward ? page.searched_to > 1 : page.searched_to < s->opts.last_seq);
    page.lines = found_lines(&s->found);
    page.n = s->found.n;
    *ret = page;
}
