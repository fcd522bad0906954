/*
 * Rows of which nobody knows whether they exist: PostgreSQL went away while one was created. The
 * client was told that the run failed, so a row that is there after all is ended, not started. It
 * is found by the half of its id that we chose.
 */
#include "orchestrator/live.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/store_executions.h"

#include <stdio.h>
#include <string.h>

#define SETTLE_US (30 * INT64_C(1000000))      /* statements that hang are over by then */
#define CLOCK_SKEW_US (300 * INT64_C(1000000)) /* the row's time is PostgreSQL's */
#define ROWS_MAX 1000
#define DOUBTS_MAX 4096

struct doubt {
    struct op op;
    struct list node; /* orchestrator.doubts */
    struct orchestrator *o;
    int64_t asked_us;
    char random_hex[EXECUTION_ID_LEN / 2 + 1];
    char email[sizeof((struct principal *)0)->email];
    bool is_asking;
};

void doubt_note(struct orchestrator *o, const char *email, uint64_t random, int64_t asked_us)
{
    size_t n = 0;
    LIST_FOREACH (it, &o->doubts)
        n++;
    struct doubt *d = n < DOUBTS_MAX ? calloc(1, sizeof *d) : NULL;
    if (!d) {
        log_error("an execution that was not confirmed may stay in STARTING until the next start");
        return;
    }
    d->o = o;
    d->asked_us = asked_us;
    (void)snprintf(d->random_hex, sizeof d->random_hex, "%016llx", (unsigned long long)random);
    (void)snprintf(d->email, sizeof d->email, "%s", email);
    list_append(&o->doubts, &d->node);
}

bool doubt_is_about(const struct orchestrator *o, const struct execution_id *id)
{
    LIST_FOREACH (it, &o->doubts) {
        if (strcmp(id->hex + EXECUTION_ID_LEN / 2,
                   LIST_ENTRY(it, struct doubt, node)->random_hex) == 0)
            return true;
    }
    return false;
}

static void doubt_free(struct doubt *d)
{
    list_remove(&d->node);
    free(d);
}

static void end_row(struct orchestrator *o, const struct execution *row)
{
    struct live *l;
    if (live_find(o, row->key))
        return;
    if (live_new(o, row, &l) < 0) {
        log_error("out of memory: execution stays in STARTING", "execution_id", row->id.hex);
        return;
    }
    live_end_directly(l, RUN_START_FAILED);
}

static void listed(void *user, int err, const struct execution *rows, size_t n)
{
    struct doubt *d = user;
    if (!op_end(&d->op)) {
        free(d);
        return;
    }
    d->is_asking = false;
    if (err < 0)
        return; /* the next heartbeat asks again */
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].id.hex + EXECUTION_ID_LEN / 2, d->random_hex) == 0)
            end_row(d->o, &rows[i]);
    }
    doubt_free(d);
}

void doubts_look(struct orchestrator *o)
{
    int64_t now = clock_wall_us();
    LIST_FOREACH_SAFE (it, &o->doubts) {
        struct doubt *d = LIST_ENTRY(it, struct doubt, node);
        if (d->is_asking || now - d->asked_us < SETTLE_US)
            continue;
        const struct store_execution_filter f = {
            .status_mask = 1u << EXEC_STARTING,
            .created_by = d->email,
            .since_us = d->asked_us - CLOCK_SKEW_US,
            .limit = ROWS_MAX,
        };
        if (store_execution_list(o->pool, &f, listed, d) < 0)
            return;
        d->is_asking = true;
        op_begin(o, &d->op, NULL);
    }
}

void doubts_free(struct orchestrator *o)
{
    LIST_FOREACH_SAFE (it, &o->doubts) {
        struct doubt *d = LIST_ENTRY(it, struct doubt, node);
        list_remove(&d->node);
        if (!d->is_asking) /* otherwise its answer frees it */
            free(d);
    }
}
