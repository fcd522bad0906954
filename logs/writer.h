/*
 * From spools to PostgreSQL to the hub. A feed is one execution's way: it reads the spool, cuts
 * chunks and hands them, with the state changes in between, to the writer. The writer sends what
 * all feeds have waiting as one pipelined transaction of guarded statements; what arrives meanwhile
 * waits for the next; few lines that follow a group closely wait commit_gap_ms for company, states
 * never do. After the commit, and only then, chunks and states are published and the
 * spool is acknowledged.
 *
 *   feed: reading ──(exit record, or feed_finish)──▶ ending ──(terminal state committed)──▶ done
 *
 * A group that fails with ERR_DB is tried again one execution at a time; an execution that fails
 * alone is reported to its owner (on_failed). ERR_DB_AWAY or ERR_TIMEOUT: the outcome is unknown,
 * so each row is read again, what turns out committed is published, the rest is sent again.
 */
#ifndef TAILGATE_LOGS_WRITER_H
#define TAILGATE_LOGS_WRITER_H

#include "base/loop.h"
#include "base/metrics.h"
#include "base/model.h"
#include "logs/hub.h"
#include "spool/format.h"

struct db_pool;
struct keeper;
struct redactor;
struct writer;
struct feed;

struct writer_opts {
    const char *owner;            /* gateway id; copied */
    size_t group_bytes_max;       /* of chunk text in one transaction */
    size_t feed_bytes_max;        /* uncommitted text of one feed in memory */
    size_t held_bytes_max;        /* memory of lines that wait for the rest of a secret */
    size_t small_chunk_bytes;     /* chunks below go to log_tail and are merged later */
    size_t inline_compress_bytes; /* chunks over it are compressed in the thread pool */
    int64_t commit_gap_ms;        /* between groups of less than small_chunk_bytes; 0 = none */
    struct keeper *keeper;        /* told of small chunks and ends; NULL = nobody */
};
#define WRITER_DEFAULTS                                                                          \
    {                                                                                            \
        .group_bytes_max = 1u << 20, .feed_bytes_max = 1u << 20, .small_chunk_bytes = 32u << 10, \
        .inline_compress_bytes = 4u << 10, .held_bytes_max = 1u << 20                            \
    }

/* pool: one connection of its own (size 1), so that transitions and chunks keep their order. */
MUST_CHECK int writer_new(struct loop *l, struct db_pool *pool, struct hub *hub,
                          const struct writer_opts *opts, struct writer **ret);
/* Feeds must have been freed. */
void writer_free(struct writer *w);

/* Why a feed cannot go on by reading. */
enum feed_break {
    FEED_CORRUPT, /* damaged record: the intact prefix has been given out */
    FEED_IO,      /* the spool cannot be read */
    FEED_STALE,   /* someone else owns the execution now: stop touching it */
    FEED_STORE,   /* PostgreSQL refuses this execution's statements */
};
struct feed_callbacks {
    /* The command has begun; the owner answers with feed_transition (RUNNING). */
    void (*on_begin)(void *user, uint32_t pid, int64_t time_us);
    /* The exit record was read, all lines before it are queued; the owner answers with the terminal
     * feed_transition, which commits with the last chunk. */
    void (*on_exit)(void *user, const struct spool_exit *x);
    /* A transition was committed and published. */
    void (*on_committed)(void *user, const struct exec_state *s);
    void (*on_break)(void *user, enum feed_break why, const char *details);
    /* feed_is_drained has become true; may be NULL. */
    void (*on_drained)(void *user);
};
/*
 * spool_fd, ack_fd: of the run directory, the feed's from now on (closed with it; closed here when
 * this fails). path: the spool's, for the watch. row: as read from the database: reading starts at
 * row->spool_offset. ERR_CORRUPT when the spool's header is wrong. After on_break(FEED_STORE) what
 * was not committed is forgotten and reading has stopped, but feed_transition is still possible.
 */
MUST_CHECK int feed_open(struct writer *w, const struct execution *row, const char *path,
                         int spool_fd, int ack_fd, const struct feed_callbacks *cb, void *user,
                         struct feed **ret);
/*
 * What is secret in this feed's lines (redact.h); taken over, also when it fails. NULL is fine:
 * nothing is. At once after feed_open, for reading begins in a later turn of the loop, or whenever
 * it is ready after feed_hold. Lines whose end may be the beginning of a secret wait for the next
 * part of their stream. ERR_NOMEM: the feed must be freed.
 */
MUST_CHECK int feed_set_redactor(struct feed *f, struct redactor *r);
/* At once after feed_open: nothing is read before feed_set_redactor. */
void feed_hold(struct feed *f);
/* Without callbacks from now on (allowed inside them); frees when nothing of it is in flight. */
void feed_free(struct feed *f);
/* Looks at the spool now (process ended, poll). Otherwise inotify says when. */
void feed_wake(struct feed *f);
/* True when every complete record of the spool was read and committed. */
bool feed_is_drained(const struct feed *f);
/*
 * Queues a state change behind what was read so far. to->version is set by the feed; to->last_seq
 * too. A second transition may be queued before the first is committed. ERR_INVALID when the table
 * forbids it, ERR_STALE after on_break(FEED_STALE).
 */
MUST_CHECK int feed_transition(struct feed *f, const struct exec_state *to, const char *cause,
                               const char *request_id);
/* The state after everything that is queued. */
const struct exec_state *feed_state(const struct feed *f);
struct topic *feed_topic(struct feed *f);
/* Appends a system line that is in no spool (after the runner's death: "runner lost"), in sequence
 * behind everything read. */
MUST_CHECK int feed_system_line(struct feed *f, const char *text);

/* dropped_lines: read, and given up because PostgreSQL refuses them (FEED_STORE). commit_seconds:
 * from sending a group to the answer that it is committed. */
struct writer_stats {
    uint64_t groups, chunks, lines, bytes, retries;
    uint64_t waiting_bytes, dropped_lines;
    struct metrics_histogram commit_seconds;
};
void writer_stats(const struct writer *w, struct writer_stats *ret);
/* Bytes in the spools of all feeds that are not yet committed. Asks for each file's size, so only
 * when asked. */
uint64_t writer_spool_bytes(const struct writer *w);
const struct db_pool *writer_pool(const struct writer *w);

#endif
