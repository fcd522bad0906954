/*
 * A stand-in for db/ at link time: rows and chunks in memory with the same guards, answers by
 * script. Answers come one a turn of the loop, in order, or when the test says so.
 */
#ifndef TAILGATE_TESTS_UNIT_LOGS_FAKE_STORE_H
#define TAILGATE_TESTS_UNIT_LOGS_FAKE_STORE_H

#include "base/loop.h"
#include "base/model.h"
#include "db/pool.h"

#include <stdbool.h>

#define FAKE_ROWS 64
#define FAKE_CHUNKS 4096

struct fake_chunk {
    int64_t key;
    uint64_t first_seq, last_seq;
    uint32_t raw_bytes;
    void *data;
    size_t len;
    bool small;
};
enum fake_call {
    FAKE_GROUP,
    FAKE_ROW,
    FAKE_FETCH,
    FAKE_TAIL,
    FAKE_MERGE,
    FAKE_LEFTOVERS,
    FAKE_VACUUM,
    FAKE_SIZE,
    FAKE_REINDEX,
    FAKE_ENSURE,
    FAKE_DROP,
    FAKE_CALLS,
};

struct db_pool {
    struct loop *loop;
    struct loop_defer *next;
    struct fake_pending *first, *last;
    bool away;   /* not ready */
    bool paused; /* answers wait for fake_answer */

    struct execution rows[FAKE_ROWS];
    size_t n_rows;
    struct fake_chunk chunks[FAKE_CHUNKS];
    size_t n_chunks;

    /* The next `times` calls of a kind answer err, without effect or (apply) with it. */
    struct {
        int times, err;
        bool apply;
        const char *sqlstate;
    } script[FAKE_CALLS];
    int refuse[FAKE_CALLS];                /* so many calls fail before anything is sent */
    int64_t poison;                        /* a group with this execution: ERR_DB */
    int ignore_guards;                     /* so many groups affect no row though they could */
    void (*before)(enum fake_call call);   /* just before a call takes effect */
    int calls[FAKE_CALLS], feeds_in_group; /* of the last group */
    size_t in_group;                       /* its statements */
    int64_t tail_bytes[2];                 /* of rows and indexes, as FAKE_SIZE answers */
    int64_t ensured_day, dropped_before;
    int ensured_days;
};

struct db_pool *fake_new(struct loop *l);
/* Pending calls answer ERR_CLOSED. */
void fake_free(struct db_pool *p);
struct execution *fake_add_row(struct db_pool *p, const struct execution *row);
struct execution *fake_row(struct db_pool *p, int64_t key);
/* Stores lines [first_seq, first_seq + n) as rig_chunk makes them. */
void fake_add_chunk(struct db_pool *p, int64_t key, uint64_t first_seq, uint32_t n, bool small);
void fake_remove_chunks(struct db_pool *p, int64_t key, uint64_t up_to);
/* Answers the oldest pending call; false when there is none. */
bool fake_answer(struct db_pool *p);
size_t fake_pending_count(const struct db_pool *p);
size_t fake_count_chunks(const struct db_pool *p, int64_t key, bool small);
/* Every line 1 … last_seq of the row is stored exactly once, as rig_text says. */
void fake_assert_stored_once(struct db_pool *p, int64_t key, uint64_t lines);

#endif
