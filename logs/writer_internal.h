/*
 * What the writer's sources share.
 *
 *   writer.c      the writer's turn: reading by turns, then sending      group.c   transactions
 *   feed.c        a feed's life and what its owner asks                  resync.c  unknown outcomes
 *   feed_read.c   from the spool into the builder                        items.c   what is queued,
 * and what is committed                                               compress.c  the thread pool
 *   acknowledge.c the spool behind the commit
 *   feed_redact.c secrets, in between
 *
 *   a feed, as the writer sees it:
 *
 *   READY ──group──▶ FLYING ──committed──▶ READY
 *     ▲                │ refused in a group ──▶ ALONE ──▶ FLYING; twice alone: on_break(FEED_STORE)
 *     │                │ outcome unknown, or a guard found no row
 *     │                ▼
 *     └──row read── UNSURE ─▶ ASKING ── another owner or fence ──▶ DEAD
 */
#ifndef TAILGATE_LOGS_WRITER_INTERNAL_H
#define TAILGATE_LOGS_WRITER_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "logs/redaction.h"
#include "logs/writer.h"
#include "spool/reader.h"

/* One turn of the loop reads at most this. */
#define TURN_BYTES (1u << 20)
#define TURN_US 5000
/* A feed's share of it before the next one's turn. */
#define SLICE_BYTES (64u << 10)
#define GROUP_FEEDS_MAX 1024u
#define GROUP_STATEMENTS_MAX 4096u
/* The net below inotify. */
#define LOOK_MS 250
#define HOLD_FIRST_MS 100
#define HOLD_LAST_MS 2000
/* Rows read at once after an unknown outcome. */
#define ASKING_MAX 64u
/* Holes are punched in steps. */
#define PUNCH_BYTES (1u << 20)
/* Guards that find no row, one after the other, though the row says that they should. */
#define GUARD_MISSES_MAX 3u

/* Jobs of compression at once. Measured on two cores with 1, 2, 3 and 8: more than two cost more
 * than they bring, for each works on tables of its own (zstd's, 0.7 MiB) that push out the others'.
 */
#define COMPRESS_JOBS_MAX 2u

struct carry; /* feed_redact.c */
struct chunk_codec;
struct compressor;
struct group;
struct job;  /* compress.c */
struct hole; /* acknowledge.c */

struct writer {
    struct loop *loop;
    struct db_pool *pool;
    struct hub *hub;
    struct writer_opts opts;
    char *owner;
    struct compressor *compressor;
    struct chunk_codec *codec; /* of chunks that are not worth the thread pool's trouble */
    struct buf scratch;        /* where they are encoded */

    struct list feeds;
    struct list reading; /* feeds with something to read */
    struct list sending; /* READY feeds with something to send */
    struct list alone;
    struct list unsure;
    unsigned asking;
    struct group *group; /* in flight */
    bool holding;        /* nothing is sent until the timer says so */
    bool urgent;         /* a state change waits: what is there goes at once */
    int64_t lines_us;    /* when the last group without one was sent */
    int64_t hold_ms;

    struct loop_defer *turn;
    struct loop_timer *hold_timer, *look_timer, *gap_timer;
    struct writer_stats stats;
};

enum item_kind { ITEM_CHUNK, ITEM_STATE, ITEM_OFFSET };
struct item {
    struct list node;
    enum item_kind kind;
    uint64_t spool_offset; /* CHUNK, OFFSET: behind its last record */
    uint64_t last_seq;     /* with this item */
    size_t weight;         /* of the feed's waiting bytes */
    struct chunk *chunk;
    struct feed *feed;
    struct list in_compress; /* waits for the thread pool */
    struct job *job;         /* is in it */
    char *data;              /* encoded; NULL: not yet (pending), or memory was short */
    size_t data_len;
    bool small;
    struct carry *carry; /* CHUNK: what is open of a secret behind it, when that has changed */
    struct exec_state from, to; /* STATE */
    char *cause, *request_id;
};

enum feed_where { FEED_READY, FEED_FLYING, FEED_ALONE, FEED_UNSURE, FEED_ASKING, FEED_DEAD };

struct row_op; /* resync.c */

struct feed {
    struct list in_feeds, in_reading, in_send;
    struct writer *w;
    struct execution_id id;
    int64_t key, fence;
    struct feed_callbacks cb;
    void *user;
    unsigned busy; /* inside this feed's code: do not free */
    bool freed;
    bool drained;
    bool no_punch;
    struct topic *topic;

    int spool_fd, ack_fd;
    struct spool_reader *reader;
    struct loop_watch *watch;
    uint64_t opened_seq;  /* committed when it was opened */
    bool reading_on;      /* no exit record, no break yet */
    bool is_held;         /* what is secret is not known yet */
    bool more;            /* the last look did not reach the spool's end */
    bool stalled;         /* waits for a commit to make room */
    uint64_t read_offset; /* behind the last record taken */
    uint64_t exit_end;    /* behind the exit record; 0 = not read */
    int64_t last_time_us;

    struct chunk_builder *builder;
    uint64_t read_seq;           /* last line read, and not waiting in redaction */
    struct redaction *redaction; /* NULL: nothing is secret */
    struct list items;
    size_t n_items, n_flying;
    size_t waiting_bytes; /* items and builder */
    struct exec_state queued, committed;
    uint64_t committed_offset, punched;
    struct hole *hole; /* being punched */

    enum feed_where where;
    unsigned failures, guard_misses;
    struct redaction_marks marks; /* behind the last chunk cut */
    struct row_op *row_op;
    size_t tail_bytes; /* small chunks that wait to be merged */
};

/* writer.c */
void writer_schedule(struct writer *w);
void writer_hold(struct writer *w); /* lets PostgreSQL come back */

/* group.c */
void group_send(struct writer *w);
void group_orphan(struct writer *w); /* its answer finds nobody */

/* resync.c */
void resync_add(struct feed *f); /* its row must be read before anything else is sent */
void resync_ask(struct writer *w);
void resync_orphan(struct feed *f);

/* feed.c */
void feed_queue(struct feed *f);  /* has it something to send? */
void feed_settle(struct feed *f); /* after its code ran: frees it, queues it, tells it is drained */
void feed_destroy(struct feed *f);
void feed_stop(struct feed *f, enum feed_break why, const char *details);

/* compress.c: compress_start's item is pending until it has its data, or none because memory was
 * short; then its feed is queued. */
MUST_CHECK int compressor_new(struct loop *l, struct compressor **ret);
void compressor_free(struct compressor *c);                /* jobs that run end by themselves */
void compress_start(struct compressor *c, struct item *i); /* by the next pump */
/* Begins jobs with what waits; more_comes: full ones only. */
void compress_pump(struct compressor *c, bool more_comes);
bool compress_is_pending(const struct item *i);
void compress_forget(struct compressor *c, struct item *i); /* it is about to be freed */

/* acknowledge.c */
void acknowledge(struct feed *f); /* the spool up to what is committed */
void acknowledge_orphan(struct feed *f);

/* feed_read.c */
size_t feed_read(struct feed *f, size_t budget); /* bytes of records taken */

/* feed_redact.c: all of them do nothing without a redactor. */
MUST_CHECK int feed_redact_line(struct feed *f, const struct spool_record *r);
MUST_CHECK int feed_redact_drain(struct feed *f);  /* what can be given out. ERR_NOMEM */
MUST_CHECK int feed_redact_finish(struct feed *f); /* no part follows. ERR_NOMEM */
/* Whether as much waits as may; makes room if nothing else will. */
bool feed_redact_is_full(struct feed *f);
MUST_CHECK int feed_redact_cut(struct feed *f, struct item *i);        /* ERR_NOMEM */
void feed_redact_did_cut(struct feed *f, const struct item *i);        /* it is queued */
MUST_CHECK int feed_redact_save(struct feed *f, const struct item *i); /* ERR_SYS */

/* item.c */
struct item *item_new(enum item_kind kind); /* NULL: no memory */
void item_free(struct item *i);

/* items.c */
MUST_CHECK int items_add_line(struct feed *f, int64_t time_us, uint8_t stream, uint8_t flags,
                              const void *p, size_t len); /* ERR_NOMEM */
MUST_CHECK int items_cut(struct feed *f); /* the builder's lines become an item. ERR_NOMEM */
MUST_CHECK int items_add_state(struct feed *f, const struct exec_state *to, const char *cause,
                               const char *request_id);
/* Best effort: without memory the offset is committed with a later item. */
void items_add_offset(struct feed *f, uint64_t spool_offset);
MUST_CHECK int items_encode(struct feed *f, struct item *i); /* here and now, unless it is */
void items_drop(struct feed *f, size_t keep);                /* all behind the first `keep` */
/* The first n are committed: publishes them, acknowledges the spool. */
void items_commit(struct feed *f, size_t n);

#endif
