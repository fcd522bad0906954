/* What the watch's sources share: watch.c keeps the ring, watch_reader.c serves readers from it. */
#ifndef TAILGATE_ORCHESTRATOR_WATCH_INTERNAL_H
#define TAILGATE_ORCHESTRATOR_WATCH_INTERNAL_H

#include "base/list.h"
#include "logs/keymap.h"
#include "orchestrator/watch.h"

/* Looks follow each other by at least this: what changes meanwhile comes in one. */
#define WATCH_PAUSE_MS 20
/* Queries of readers under way at once: thousands may come back together. */
#define WATCH_ASKING_MAX 8u
#define WATCH_PAGE_ROWS 100u
/* A page ends at the row that reaches this. */
#define WATCH_PAGE_BYTES (32u << 10)
/* One row's text at most: larger ones are a bug of the encoder. */
#define WATCH_ROW_BYTES_MAX (256u << 10)
/* Rows of one answer to a reader that comes back; with more it reads the snapshot. */
#define WATCH_RESUME_ROWS 500u

struct watch_change {
    struct keymap_node by_key;
    char *text; /* NULL: a newer one follows in the ring */
    size_t len;
    char *created_by;
};

struct watch {
    struct loop *loop;
    struct db_pool *pool;
    struct watch_opts opts;
    struct list readers; /* struct watch_reader */
    struct list asking;  /* those that wait for their turn to query */
    struct list queries; /* under way: struct watch_query */
    unsigned n_asking;
    char *place;                /* NULL: not known yet */
    struct watch_change **ring; /* opts.changes_max slots */
    uint64_t first, end;        /* indices of the oldest, and behind the newest */
    size_t bytes;
    struct keymap latest;
    struct loop_timer *timer;
    struct loop_defer *wake;
    struct watch_look *look; /* under way */
    bool look_again;
    int64_t looked_ms;
};

enum reader_phase {
    READER_NEW,      /* waits for the watch's place */
    READER_LIVE,     /* snapshot: executions that are live */
    READER_NEWEST,   /* snapshot: the newest that are not */
    READER_RESUMING, /* what changed since the place it brought */
    READER_FOLLOWING,
};

struct watch_reader {
    struct list node;   /* watch's */
    struct list in_ask; /* watch->asking */
    struct watch *watch;
    struct watch_query *query; /* under way */
    enum reader_phase phase;
    loop_fn wake;
    void *user;
    bool is_woken;
    bool begins;
    bool is_last; /* rows are the last of their phase's pages */
    bool only_own;
    char email[256];
    char *since;    /* of the client */
    char *place;    /* where the snapshot, or the answer to since, leads */
    uint64_t index; /* FOLLOWING: next change of the ring */
    size_t newest_left;
    size_t limit; /* of the query under way */
    int64_t before_key;
    struct buf rows; /* that a query brought, a comma before each */
    uint32_t *ends;  /* of each in it */
    size_t n_rows, next_row;
    bool has_rows;   /* the answer came; it may hold none */
    struct buf page; /* of changes */
};

/* watch.c */
void watch_begin(struct watch *w); /* the first reader came */
void watch_rest(struct watch *w);  /* the last one left */

/* watch_reader.c */
void reader_wake(struct watch_reader *r);
void readers_forget(struct watch *w); /* queries under way answer nobody */

#endif
