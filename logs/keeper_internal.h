/*
 * What the keeper's sources share: keeper.c (what is to be done, when), merge.c (one execution's
 * small chunks into full ones).
 */
#ifndef TAILGATE_LOGS_KEEPER_INTERNAL_H
#define TAILGATE_LOGS_KEEPER_INTERNAL_H

#include "base/buf.h"
#include "base/list.h"
#include "logs/chunk.h"
#include "logs/keeper.h"
#include "logs/keymap.h"

struct merge; /* merge.c */

/* An execution with small chunks. */
struct task {
    struct keymap_node by_key;
    struct list in_all;
    struct list in_queue; /* in it: to be merged now */
    size_t bytes;
    bool ended;
    int64_t noted_ms;
};

struct keeper {
    struct loop *loop;
    struct db_pool *pool;
    struct keeper_opts opts;
    struct chunk_codec *codec;
    struct chunk_builder *builder;
    struct buf scratch;

    struct keymap tasks;
    struct list all, queue; /* tasks */
    struct merge *merge;    /* the one under way */
    struct loop_defer *next;
    struct loop_timer *retry; /* after an error: merging goes on then */

    int64_t vacuumed_ms; /* when the last one began; 0 = never */
    unsigned vacuums;    /* since the latest merge */
    struct loop_timer *vacuum_timer;

    struct loop_timer *rounds; /* partitions, retention, leftovers */
    struct list ops;           /* queries in flight */
};

/* merge.c: answers with keeper_merged, not before it returns. */
MUST_CHECK int merge_start(struct keeper *k, int64_t key, bool ended);
void merge_orphan(struct keeper *k);

/* keeper.c */
struct merge_result {
    bool ended;    /* everything was to be merged */
    size_t merged; /* full chunks made */
    size_t left;   /* bytes that wait for more */
};
void keeper_merged(struct keeper *k, int64_t key, int err, const struct merge_result *r);

#endif
