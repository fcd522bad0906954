/*
 * When each API key was used last, to the minute: a filter in memory keeps all but one use a minute
 * from PostgreSQL, and no request waits for what is written.
 */
#ifndef TAILGATE_ORCHESTRATOR_LAST_USE_H
#define TAILGATE_ORCHESTRATOR_LAST_USE_H

#include "base/compiler.h"

#include <stdint.h>

/* Keys that share a slot write more often than they need to: the statement itself keeps to the
 * minute. */
#define LAST_USE_SLOTS 1024

struct db_pool;
/* Zeroed at first. */
struct last_use {
    struct {
        int64_t key_id, at_ms; /* monotonic */
    } slots[LAST_USE_SLOTS];
};
/* key_id 0 (a stream token) is nobody's. */
void last_use_note(struct last_use *u, struct db_pool *pool, int64_t key_id);

#endif
