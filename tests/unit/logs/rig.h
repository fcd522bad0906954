/*
 * What the tests of logs/ build on: a spool to write, an owner that answers a feed as the
 * orchestrator does, a reader that checks every sequence number and byte.
 */
#ifndef TAILGATE_TESTS_UNIT_LOGS_RIG_H
#define TAILGATE_TESTS_UNIT_LOGS_RIG_H

#include "base/loop.h"
#include "logs/hub.h"
#include "logs/keeper.h"
#include "logs/writer.h"
#include "spool/writer.h"

#include <stdbool.h>

#define RIG_PATIENCE_MS 60000

/* Turns the loop until *flag; fails the test after the patience. */
void await_flag(struct loop *l, const bool *flag);
void await_fn(struct loop *l, bool (*is_true)(void *), void *user);
/* A few turns that do not wait. */
void spin(struct loop *l, int turns);

/* ---- executions ---- */
#define RIG_DAY 20000
#define RIG_OWNER "gateway-1"
int64_t rig_key(uint32_t n);
/* A row in memory: STARTING, version 1, fence 1. Strings are literals: not to be freed. */
struct execution rig_row(uint32_t n);

/* ---- a run directory ---- */
struct run_dir {
    char path[64], spool[96];
    int fd; /* of the spool, ours */
    struct spool_writer *writer;
    uint64_t lines;
    int64_t time_us;
};
void run_dir_make(struct run_dir *d, const struct execution_id *id);
void run_dir_remove(struct run_dir *d);
/* Appends n lines "line SEQ" (with padding behind, `pad` bytes) and flushes. */
void run_dir_lines(struct run_dir *d, uint64_t n, size_t pad);
void run_dir_begin(struct run_dir *d);
void run_dir_exit(struct run_dir *d, int exit_code);
uint64_t run_dir_ack(const struct run_dir *d);

/* ---- the owner of a feed ---- */
struct owner {
    struct feed *feed;
    bool begun, exited, ended, broken, drained;
    bool no_end;      /* does not answer the exit record */
    bool free_at_end; /* frees the feed inside on_committed */
    enum feed_break why;
    char details[128];
    struct exec_state states[8]; /* committed */
    size_t n_states;
};
/* Opens a feed at the run directory. */
int owner_open(struct owner *o, struct writer *w, const struct run_dir *d,
               const struct execution *row);

/* ---- readers ---- */
struct reader {
    struct cursor *cursor;
    uint64_t next; /* seq that must come */
    bool by_hand;  /* wakes only count; reader_read reads */
    bool ended;
    bool check_text; /* lines are run_dir_lines' */
    int wakes, errors, last_error;
    uint64_t chunks, gap_from, gap_to;
};
void reader_open(struct reader *r, struct topic *t, uint64_t after);
/* At most `chunks` chunks (0 = what there is). Gives back the last answer of cursor_next. */
int reader_read(struct reader *r, uint64_t chunks);
void reader_close(struct reader *r);
/* Turns the loop until the reader has all lines up to seq. */
void reader_await(struct loop *l, struct reader *r, uint64_t seq);

/* A chunk of n lines "line SEQ" from first_seq on. */
struct chunk *rig_chunk(int64_t key, uint64_t first_seq, uint32_t n, size_t pad);
/* Without its NUL: the text of line seq. */
size_t rig_text(char *ret, size_t size, uint64_t seq, size_t pad);

#endif
