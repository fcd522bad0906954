/* Lines and spans in growing arrays, texts in one buffer; a page's end bounds them all. */
#include "logs/search_found.h"

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (SEARCH_PAGE_BYTES + (SEARCH_STREAMS + 1) * SEARCH_JOIN_BYTES)

void found_init(struct found *f)
{
    *f = (struct found){.text = {.max = TEXT_MAX}};
}

void found_done(struct found *f)
{
    free(f->lines);
    free(f->spans);
    buf_done(&f->text);
    *f = (struct found){0};
}

int found_add_span(struct found *f, size_t start, size_t end)
{
    if (f->n_spans == f->spans_cap) {
        size_t cap = f->spans_cap ? f->spans_cap * 2 : 64;
        struct search_span *spans = realloc(f->spans, cap * sizeof *spans);
        if (!spans)
            return ERR_NOMEM;
        f->spans = spans;
        f->spans_cap = cap;
    }
    f->spans[f->n_spans++] = (struct search_span){(uint32_t)start, (uint32_t)end};
    return 0;
}

void found_forget_spans(struct found *f)
{
    f->n_spans = f->first_span;
}

/* Code units of the text's first n bytes, going on from *at, *units. */
static uint32_t units_to(const char *text, size_t len, size_t n, size_t *at, uint32_t *units)
{
    while (*at < n) {
        bool valid;
        size_t step = str_utf8_step(text + *at, len - *at, &valid);
        *units += valid && step == 4 ? 2 : 1;
        *at += step;
    }
    return *units;
}

static void count_units(const char *text, size_t len, struct search_span *spans, size_t n)
{
    size_t at = 0;
    uint32_t units = 0;
    for (size_t i = 0; i < n; i++) {
        spans[i].start = units_to(text, len, spans[i].start, &at, &units);
        spans[i].end = units_to(text, len, spans[i].end, &at, &units);
    }
}

int found_add_line(struct found *f, const struct search_line *line)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 64;
        struct search_line *lines = realloc(f->lines, cap * sizeof *lines);
        if (!lines)
            return ERR_NOMEM;
        f->lines = lines;
        f->cap = cap;
    }
    int rc = line->len > 0 ? buf_append(&f->text, line->text, line->len) : 0;
    if (rc < 0)
        return ERR_NOMEM;
    f->lines[f->n] = *line;
    f->lines[f->n].n_spans = f->n_spans - f->first_span;
    if (f->n_spans > f->first_span)
        count_units(line->text, line->len, f->spans + f->first_span, f->n_spans - f->first_span);
    f->first_span = f->n_spans;
    f->n++;
    return 0;
}

size_t found_bytes(const struct found *f)
{
    return f->text.len + f->first_span * sizeof(struct search_span);
}

const struct search_line *found_lines(struct found *f)
{
    size_t text = 0, span = 0;
    for (size_t i = 0; i < f->n; i++) {
        struct search_line *l = &f->lines[i];
        l->text = l->len > 0 ? f->text.data + text : "";
        l->spans = l->n_spans > 0 ? f->spans + span : NULL;
        text += l->len;
        span += l->n_spans;
    }
    return f->lines;
}
