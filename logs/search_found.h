/* The lines that a search found, with their own bytes, until they are told. */
#ifndef TAILGATE_LOGS_SEARCH_FOUND_H
#define TAILGATE_LOGS_SEARCH_FOUND_H

#include "base/buf.h"
#include "logs/search.h"

struct found {
    struct search_line *lines; /* their texts and spans are set by found_lines */
    size_t n, cap;
    struct search_span *spans;
    size_t n_spans, spans_cap;
    size_t first_span; /* of the line that is being looked at */
    struct buf text;
    uint64_t n_lines, matches; /* also those that are only counted */
};

void found_init(struct found *f);
void found_done(struct found *f);
/* A match in the line that is being looked at, in bytes. ERR_NOMEM. */
MUST_CHECK int found_add_span(struct found *f, size_t start, size_t end);
void found_forget_spans(struct found *f); /* those since the last line */
/* Copies the line; the spans since the last one are its own. ERR_NOMEM. */
MUST_CHECK int found_add_line(struct found *f, const struct search_line *line);
size_t found_bytes(const struct found *f);
/* All lines; valid until more are added. */
const struct search_line *found_lines(struct found *f);

#endif
