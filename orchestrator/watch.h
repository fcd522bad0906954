/*
 * The live list: every execution that one may see, then each change, for many readers.
 *
 * One watch a gateway asks PostgreSQL what changed since the place it knows (store_changes.h), when
 * a hint says so and every WATCH_POLL_MS, while anyone reads. What it learns is made into text once
 * and kept in a ring; a reader is a position in it. A newer version of an execution takes the place
 * of the older one, so a slow reader is told the latest only; one that fell out of the ring reads
 * the snapshot anew. Nothing is queued per reader.
 *
 *   reader: waits for the watch's place ─▶ snapshot: what is live, then the newest ─▶ changes
 *                                   └ since a place: what changed after it ──────────┘
 *
 * The place is taken before the snapshot is read, so what changes meanwhile comes as a change: an
 * execution may be told twice, never missed. Its version says which word is the latest.
 */
#ifndef TAILGATE_ORCHESTRATOR_WATCH_H
#define TAILGATE_ORCHESTRATOR_WATCH_H

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/model.h"

#define WATCH_POLL_MS 1000
#define WATCH_PLACE_MAX 4096 /* characters of a place */

struct db_pool;
struct watch;
struct watch_reader;

/* The row as readers are told it, appended: one JSON object. */
typedef int (*watch_encode_fn)(void *user, const struct execution *e, struct buf *out);

struct watch_opts {
    watch_encode_fn encode;
    void *encode_user;
    size_t snapshot_max;   /* newest executions of a snapshot, beside the live ones */
    size_t changes_max;    /* kept in the ring */
    size_t ring_bytes_max; /* their text */
};
#define WATCH_DEFAULTS                                                               \
    {                                                                                \
        .snapshot_max = 1000, .changes_max = 4096, .ring_bytes_max = (size_t)8 << 20 \
    }

MUST_CHECK int watch_new(struct loop *l, struct db_pool *pool, const struct watch_opts *opts,
                         struct watch **ret);
/* All readers are closed before. */
void watch_free(struct watch *w);
/* Something may have changed; user is a struct watch. */
void watch_hint(void *user);

/*
 * who: sees what the policy lets them list (ERR_FORBIDDEN: nothing). since: a place told before, or
 * NULL. wake: there may be something for watch_next; called from the loop, never inside a call of
 * this header.
 */
MUST_CHECK int watch_open(struct watch *w, const struct principal *who, const char *since,
                          loop_fn wake, void *user, struct watch_reader **ret, struct problem *p);
void watch_close(struct watch_reader *r);

struct watch_page {
    bool is_snapshot;
    bool begins, more; /* of a snapshot: its first page; others follow */
    const char *rows;  /* objects with commas between them; may be none */
    size_t len;
    const char *place; /* all up to here is told with this page; NULL = not known yet */
};
/* 0: a page, valid until the next call; ERR_AGAIN: nothing now; ERR_NOMEM. */
MUST_CHECK int watch_next(struct watch_reader *r, struct watch_page *ret);
bool watch_has_more(const struct watch_reader *r);

#endif
