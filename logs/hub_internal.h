/*
 * What the hub's sources share.
 *
 *   hub.c     topics by key, encoders, bounds on memory, timers      frame.c   frames made once
 *   topic.c   states, publishing, wakes                              ring.c    a topic's latest
 * chunks cursor.c  positions                                              replay.c  pages from
 * PostgreSQL follow.c  topics that another gateway feeds
 *
 * The hub lives until hub_free was called and its last topic is gone; a topic until nobody refers
 * to it, queries in flight included. So an answer never meets a freed object.
 */
#ifndef TAILGATE_LOGS_HUB_INTERNAL_H
#define TAILGATE_LOGS_HUB_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "logs/hub.h"
#include "logs/keymap.h"

/* Queries in flight for replay, of all topics: what their answers may hold in memory. */
#define HUB_FETCHES_MAX 8u
/* Rows looked at at once for topics that are fed elsewhere. */
#define HUB_POLLS_MAX 16u
#define HUB_POLL_MS 1000
/* Replay pages kept a topic, beside what the total bound says. */
#define TOPIC_PAGES_MAX 4u
/* Retry of replay after an error, and the second look at what seems to be a gap. */
#define HUB_RETRY_FIRST_MS 100
#define HUB_RETRY_LAST_MS 5000
#define HUB_SUSPECT_MS 50

struct chunk_ring {
    struct chunk **slots; /* a power of two of them */
    size_t cap, count;
    uint64_t base; /* how many were taken out so far: the index of the oldest */
};

struct page {
    struct list node; /* topic's, most recently read first */
    size_t n;
    struct chunk *chunks[];
};

struct hub {
    unsigned refs; /* the owner's and one a topic */
    bool dead;
    struct loop *loop;
    struct db_pool *pool;
    struct hub_opts opts;
    struct chunk_codec *codec;
    struct buf scratch; /* where frames are made */
    struct {
        hub_encode_fn fn;
        void *user;
    } encoders[CHUNK_FRAME_KINDS];
    int n_encoders;
    hub_publish_fn on_publish;
    void *publish_user;
    hub_publish_fn on_state;
    void *state_user;

    struct keymap topics;
    struct list all;   /* topics */
    struct list lru;   /* topics that hold chunks, least recently read first */
    size_t held_bytes; /* by rings and pages */
    size_t n_cursors;

    struct list dirty;  /* topics whose cursors are to be woken */
    struct list waking; /* cursors to be woken */
    struct loop_defer *wake;

    struct list replay_queue; /* cursors that wait for a query, first come first served */
    struct list retry;        /* cursors that wait for another try */
    unsigned fetches;
    uint64_t looks; /* fetches begun so far */
    bool backing_off;
    int64_t retry_ms;
    struct loop_timer *retry_timer;

    struct list poll_queue; /* topics whose row is to be looked at */
    unsigned polls;
    struct loop_timer *poll_timer;

    struct hub_stats stats;
};

struct topic {
    struct keymap_node by_key;
    struct list in_all, in_lru, in_dirty, in_polls;
    struct hub *hub;
    unsigned refs;
    struct execution_id id;

    struct exec_state states[HUB_STATES_MAX];
    size_t n_states;
    struct exec_state now; /* the latest, with the latest last_seq */
    uint64_t last_seq;
    bool ended;

    struct list cursors;
    size_t n_cursors;

    struct chunk_ring ring;
    struct list pages; /* struct page */
    size_t n_pages;
    size_t ring_bytes, page_bytes;
    struct list fetches; /* struct fetch */

    /* What one query missed, and what a later one missed too: removed by retention. */
    uint64_t suspect_from, suspect_to; /* 0 = none */
    uint64_t suspect_look;             /* queries begun until then prove nothing */
    uint64_t gap_from, gap_to;         /* 0 = none */

    bool local;
    bool polling;      /* its row is being read */
    bool poll_again;   /* poked meanwhile */
    bool tail_reading; /* new chunks are being read */
    bool has_target;
    struct exec_state target; /* published once its lines are here */
};

struct cursor {
    struct list node;     /* topic's cursors, or the list of those being woken just now */
    struct list in_wake;  /* hub->waking */
    struct list in_queue; /* hub->replay_queue, a fetch's waiters or hub->retry */
    struct topic *topic;
    uint64_t position;
    uint64_t hint;        /* ring index where the next chunk should be */
    struct chunk *handed; /* from a page that came for this cursor */
    int error;            /* to be told once */
    bool woken;           /* and has not asked since */
    bool waiting;         /* in_queue */
    bool shared_once;     /* waited for another's page already */
    loop_fn wake;
    void *user;
};

/* ring.c */
void ring_done(struct chunk_ring *r);
MUST_CHECK int ring_push(struct chunk_ring *r,
                         struct chunk *c);      /* takes the reference. ERR_NOMEM */
struct chunk *ring_shift(struct chunk_ring *r); /* the oldest, NULL when empty */
/* The chunk that holds seq, NULL when none does; hint: index to try first, set behind it. */
struct chunk *ring_find(const struct chunk_ring *r, uint64_t seq, uint64_t *hint);
struct chunk *ring_last(const struct chunk_ring *r);

/* hub.c */
void hub_ref(struct hub *h);
void hub_unref(struct hub *h);
/* sum (t's ring_bytes or page_bytes) grows or shrinks by bytes, and the hub's with it. */
void hub_hold(struct topic *t, size_t *sum, size_t bytes);
void hub_release(struct topic *t, size_t *sum, size_t bytes);
void hub_shrink(struct hub *h); /* down to the total bound */
void hub_mark_dirty(struct topic *t);
void hub_schedule_wake(struct cursor *c);

/* topic.c */
struct topic *topic_ref(struct topic *t);
MUST_CHECK int topic_append(struct topic *t, struct chunk *c); /* may overlap; ERR_NOMEM */
void topic_jump(struct topic *t,
                uint64_t last_seq);      /* forgets the ring: what it lacked is stored */
void topic_drop_oldest(struct topic *t); /* one chunk of the ring */
void topic_trim(struct topic *t);        /* the ring down to its bound */

/* replay.c */
struct chunk *replay_find(struct topic *t, uint64_t seq); /* in the pages; reads ahead */
void replay_want(struct cursor *c);
void replay_pump(struct hub *h);
void replay_retry(void *hub); /* timer */
void replay_drop_page(struct topic *t);
void replay_drop_pages(struct topic *t);

/* follow.c */
void follow_look(struct topic *t); /* at its row, soon */
void follow_tick(void *hub);       /* timer */

#endif
