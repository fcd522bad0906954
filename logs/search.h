/*
 * Search over the lines of one execution, stored and live: committed lines are in PostgreSQL before
 * anyone reads them, so their chunks are all there is to look at.
 *
 *   search: waiting ─▶ compiling ─▶ [chunks asked for ─▶ looked through]… ─▶ answered, freed
 *                        pool            database          pool
 *
 * Compiling, decompressing and matching run in the thread pool, in slices of SEARCH_SLICE_MS so
 * that others get their turn there. A few searches run at once, some wait, more are refused. One
 * call makes one page, which ends at its limit, at SEARCH_PAGE_BYTES or when its time is used up,
 * and says where to go on.
 *
 * A line that the runner cut in parts is joined before it is matched, up to SEARCH_JOIN_BYTES and
 * over SEARCH_JOIN_SPAN records; what is longer is searched in pieces. Parts of several streams lie
 * between each other, so a position is one number a stream.
 */
#ifndef TAILGATE_LOGS_SEARCH_H
#define TAILGATE_LOGS_SEARCH_H

#include "base/err.h"
#include "base/loop.h"

#define SEARCH_STREAMS 3 /* stdout, stderr, system */
#define SEARCH_JOIN_BYTES (1u << 20)
#define SEARCH_JOIN_SPAN 4096u
#define SEARCH_LINES_MAX 1000u         /* of a page */
#define SEARCH_SPANS_MAX 1000u         /* told of a line */
#define SEARCH_PAGE_BYTES (256u << 10) /* a page that has as much ends; one line more at most */
#define SEARCH_SLICE_MS 50

struct db_pool;
struct searcher;
struct search;

struct searcher_opts {
    size_t running_max, waiting_max;
    int64_t time_ms; /* of one page */
};

MUST_CHECK int searcher_new(struct loop *l, struct db_pool *pool, const struct searcher_opts *opts,
                            struct searcher **ret);
/* Searches under way end without an answer. */
void searcher_free(struct searcher *s);

/* Forward: all records of a stream up to its number are done. Backward: all from it on. */
struct search_position {
    uint64_t done[SEARCH_STREAMS];
};

struct search_request { /* borrowed for the call */
    int64_t execution_key;
    uint64_t last_seq; /* nothing behind it is looked at */
    bool ended;        /* no line will follow */
    const char *text;
    bool is_regex, ignore_case;
    bool backward, count_only;
    struct search_position from;
    size_t limit; /* lines, 1 to SEARCH_LINES_MAX */
};

struct search_span {
    uint32_t start, end; /* UTF-16 code units, in the text with U+FFFD for what is no UTF-8 */
};

struct search_line {
    uint64_t first_seq, last_seq; /* of its parts */
    int64_t time_us;
    uint8_t stream;
    const char *text;
    size_t len;
    const struct search_span *spans;
    size_t n_spans;
    uint64_t matches; /* at least one; may be more than n_spans */
};

struct search_page {
    const struct search_line *lines; /* in the order in which they ended, or against it */
    size_t n;
    uint64_t n_lines, matches;       /* all that were found on this page, also with count_only */
    struct search_position position; /* where the next page begins */
    uint64_t searched_to;            /* the position as one number: what lies before is done */
    bool more;                       /* there is something left to search */
};

/* p: NULL, or why there is no page (the page is NULL then). Both are valid during the call. */
typedef void (*search_fn)(void *user, const struct problem *p, const struct search_page *page);

/* fn is called once, later. ERR_LIMIT: too many searches; ERR_NOMEM; ERR_CLOSED. */
MUST_CHECK int search_start(struct searcher *s, const struct search_request *r, search_fn fn,
                            void *user, struct search **ret);
/* Before fn was called: it will not be. */
void search_cancel(struct search *g);

#endif
