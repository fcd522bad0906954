/*
 * The hub: what was committed, in memory, for all readers. One topic per execution that is written
 * or read here; a topic holds the ring (its latest chunks, bounded in bytes), the states the
 * execution went through, and its subscribers' cursors. Nothing is copied per reader: a cursor
 * hands out references to the same chunks and the frames made from them once.
 *
 *   topic: born by hub_topic_open or a feed ─▶ live ─▶ ended (terminal state published) ─▶ freed
 * when nobody refers to it
 *
 * A cursor reads from the ring; where the ring does not reach back, from PostgreSQL in bounded
 * pages (shared by cursors near each other), and then from the ring again: no gap, no double, since
 * both are the same dense sequence. For an execution that another gateway runs, the topic looks at
 * its row when a notification says so, and every second as the net below.
 */
#ifndef TAILGATE_LOGS_HUB_H
#define TAILGATE_LOGS_HUB_H

#include "base/loop.h"
#include "base/model.h"
#include "logs/chunk.h"

struct db_pool;
struct hub;
struct topic;

struct hub_opts {
    size_t ring_bytes;       /* a topic's ring */
    size_t ring_total_bytes; /* all rings: the least recently read shrink first */
    size_t page_chunks;      /* chunks of one replay page */
};
#define HUB_DEFAULTS                                                              \
    {                                                                             \
        .ring_bytes = 8u << 20, .ring_total_bytes = 512u << 20, .page_chunks = 16 \
    }

MUST_CHECK int hub_new(struct loop *l, struct db_pool *pool, const struct hub_opts *opts,
                       struct hub **ret);
void hub_free(struct hub *h);

/* ---- frames: made once per chunk and kind, by encoders that the gateway registers ---- */
struct frame {
    unsigned refs;
    uint32_t lines;
    int64_t published_us; /* its chunk's */
    size_t len;
    uint8_t bytes[]; /* wire bytes, as they are sent */
};
struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f);
/* Appends the wire bytes of the chunk's lines from index first_line on. */
typedef int (*hub_encode_fn)(void *user, const struct execution_id *id, const struct chunk *c,
                             uint32_t first_line, struct buf *out);
/* Returns the kind (0 … CHUNK_FRAME_KINDS-1) in *ret_kind. ERR_LIMIT. */
MUST_CHECK int hub_register_encoder(struct hub *h, hub_encode_fn fn, void *user, int *ret_kind);
/* The frame of c from line first_line on (a new reference). first_line 0: made once and shared. */
MUST_CHECK int hub_frame(struct hub *h, const struct execution_id *id, struct chunk *c, int kind,
                         uint32_t first_line, struct frame **ret);

/* ---- topics ---- */
/* The topic of an execution (one reference). row: as read from the database; a topic that knows a
 * newer version keeps its own. ERR_NOMEM. */
MUST_CHECK int hub_topic_open(struct hub *h, const struct execution *row, struct topic **ret);
void topic_unref(struct topic *t);
const struct execution_id *topic_id(const struct topic *t);
/* The latest state (last_seq included). */
const struct exec_state *topic_state(const struct topic *t);
/* The states in order, oldest known first; at most HUB_STATES_MAX. */
#define HUB_STATES_MAX 8
size_t topic_states(const struct topic *t, const struct exec_state **ret);
uint64_t topic_last_seq(const struct topic *t);

/* ---- what the writer and the orchestrator publish, after commit ---- */
/* A topic that is fed here (not polled) from now on / no longer. */
void topic_set_local(struct topic *t, bool local);
/* c continues the sequence (first_seq = last_seq + 1); takes its own reference. ERR_CORRUPT
 * otherwise. */
MUST_CHECK int topic_publish(struct topic *t, struct chunk *c);
/* Ignored unless s->version is newer, or the same and s is unreachable now or no longer. A terminal
 * state ends the topic: s->last_seq is final. */
void topic_publish_state(struct topic *t, const struct exec_state *s);
/* A notification (or doubt): look at the row again. */
void hub_poke(struct hub *h, int64_t execution_key);

/* ---- cursors ---- */
struct cursor;
/* wake: there may be something for cursor_next (or a new state); not called inside cursor_* or
 * topic_* calls of the same turn's stack, but on the loop; coalesced. after: last seq already seen.
 * Holds its own reference on t. */
MUST_CHECK int cursor_open(struct topic *t, uint64_t after, loop_fn wake, void *user,
                           struct cursor **ret);
void cursor_close(struct cursor *c);
/*
 * The next lines: a chunk (a new reference) and the index of the first line to give out.
 * 0; ERR_AGAIN: nothing now, wake will be called; ERR_END: every line of an ended execution was
 * given out; ERR_GAP: lines *ret_gap_from … *ret_gap_to were removed by retention, the cursor
 * stands behind them; ERR_DB_AWAY and others: try again at the next wake (there will be one).
 */
MUST_CHECK int cursor_next(struct cursor *c, struct chunk **ret, uint32_t *ret_first_line,
                           uint64_t *ret_gap_from, uint64_t *ret_gap_to);
uint64_t cursor_position(const struct cursor *c); /* last seq given out */
bool cursor_is_caught_up(const struct cursor *c); /* position == topic_last_seq */

/* fn hears of each topic fed here that gained lines or a state (after the commit), so that other
 * gateways can be told; one fn, NULL = nobody. Called in the writer's turn: it must only take note.
 */
typedef void (*hub_publish_fn)(void *user, int64_t execution_key);
void hub_on_publish(struct hub *h, hub_publish_fn fn, void *user);
/* The same for states alone, the first one included. */
void hub_on_state(struct hub *h, hub_publish_fn fn, void *user);

struct hub_stats {
    size_t topics, cursors, ring_bytes;
    uint64_t replay_pages, published_chunks, published_lines, published_bytes;
};
void hub_stats(const struct hub *h, struct hub_stats *ret);

/* Cursors that have not been given all lines of their topics; looks at each, so only when asked. */
struct hub_backlog {
    size_t cursors;
    uint64_t lines, lines_max; /* of all; of the one that is furthest behind */
};
void hub_backlog(const struct hub *h, struct hub_backlog *ret);

#endif
