/* Looking through chunks one after the other: the part of a search that runs off the loop. */
#ifndef TAILGATE_LOGS_SEARCH_SCAN_H
#define TAILGATE_LOGS_SEARCH_SCAN_H

#include "logs/chunk.h"
#include "logs/pattern.h"
#include "logs/search.h"

struct scan;

struct scan_opts {
    struct pattern *pattern; /* borrowed */
    struct search_position from;
    uint64_t last_seq;
    size_t limit;
    bool backward, count_only, ended;
};

MUST_CHECK int scan_new(const struct scan_opts *opts, struct scan **ret);
void scan_free(struct scan *s); /* NULL is fine */
/*
 * Looks through c, which follows (backward: lies before) the last one. 0: all of it; ERR_AGAIN: the
 * slice is over, call again with the same chunk; ERR_END: the page is full; ERR_TIMEOUT: past
 * deadline_us, which counts only once a record was looked at that no page had; ERR_LIMIT: the
 * expression is too expensive (scan_seq says where); ERR_NOMEM. Times are monotonic.
 */
MUST_CHECK int scan_chunk(struct scan *s, const struct chunk *c, int64_t slice_end_us,
                          int64_t deadline_us);
/* There are no more chunks: lines without an end are looked at as they are. ERR_LIMIT, ERR_NOMEM.
 */
MUST_CHECK int scan_finish(struct scan *s);
uint64_t scan_seq(const struct scan *s); /* first record of the line that was looked at last */
/* What was found; belongs to the scan. */
void scan_page(struct scan *s, struct search_page *ret);

#endif
