/*
 * The start: keys, then what this gateway id left behind is taken over and each execution gone on
 * with (orchestrator.h). What decides is the lock: a run directory without one was never started,
 * unless the host was booted since, for then the lock may have been lost with the last writes.
 *
 *   server key ─▶ lease ─▶ live rows, next fence ─▶ each adopted ─▶ started
 */
#include "orchestrator/recover.h"
#include "orchestrator/leases.h"
#include "orchestrator/live.h"
#include "orchestrator/orphans.h"
#include "orchestrator/queue.h"
#include "orchestrator/workspace.h"

#include "base/log.h"
#include "base/str.h"
#include "db/store_executions.h"
#include "db/store_keys.h"
#include "db/store_runs.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define STREAM_KEY_NAME "stream_token"

struct start {
    struct op op;
    orchestrator_fn fn;
    void *user;
};

int64_t recover_boot_time_us(const char *path)
{
    char line[256];
    long long seconds = 0;
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    while (seconds == 0 && fgets(line, sizeof line, f)) {
        /* One line holds a counter for each interrupt and is longer than ours: its rest matches
         * nothing. */
        if (strncmp(line, "btime ", 6) == 0) {
            int64_t value;
            line[strcspn(line, "\n")] = '\0';
            if (str_to_i64(line + 6, 1, INT64_MAX / 1000000, &value) == 0)
                seconds = value;
        }
    }
    (void)fclose(f);
    return seconds * 1000000;
}

/* Its run directory is there, read from where the row says. */
static void go_on(struct live *l)
{
    enum rundir_liveness liveness = RUNDIR_DEAD;
    enum exec_status status = l->row.state.status;
    int r = l->o->engine->ops->inspect(l->o->engine, l->run_dir, &liveness);
    if (r < 0)
        liveness = RUNDIR_DEAD;
    bool never_ran = liveness == RUNDIR_NOT_STARTED && live_lost_event(l) != RUN_HOST_LOST;
    if (liveness == RUNDIR_ALIVE) {
        if (status == EXEC_TERMINATING)
            live_stop(l);
    } else if (never_ran && status == EXEC_TERMINATING) {
        (void)live_fail(l, RUN_START_FAILED, NULL);
    } else if (never_ran && status == EXEC_STARTING) {
        live_begin(l);
        return;
    } else {
        live_set_gone(l);
    }
    plan_done(&l->plan); /* its feed has what it needs */
}

/* An empty directory in its place, so that readers are told in the log what happened. */
static void replace_run_dir(struct live *l)
{
    if (rundir_create(l->run_dir, l->row.id.hex, l->row.state.started_at_us) == 0 &&
        live_open_feed(l) == 0)
        live_set_gone(l);
    else
        live_end_directly(l, live_lost_event(l));
}

static void give_up(struct live *l, int err)
{
    enum rundir_liveness liveness = RUNDIR_DEAD;
    enum run_event event = err == ERR_CORRUPT ? RUN_SPOOL_CORRUPT : RUN_SPOOL_UNREADABLE;
    int r = l->o->engine->ops->inspect(l->o->engine, l->run_dir, &liveness);
    bool lives = r == 0 && liveness == RUNDIR_ALIVE;
    log_error("spool cannot be opened", "execution_id", l->row.id.hex, "error", err_name(err));
    if (!lives && live_lost_event(l) == RUN_HOST_LOST)
        event = RUN_HOST_LOST;
    if (lives)
        live_stop(l);
    live_end_directly(l, event);
}

/* The directory is the first thing that is made for a run, and the last that goes. */
static bool has_never_begun(const struct live *l)
{
    return l->row.state.status == EXEC_STARTING && l->row.spool_offset == 0 &&
           live_lost_event(l) != RUN_HOST_LOST;
}

int recover_adopt(struct orchestrator *o, const char *state_dir, const struct store_launch *launch)
{
    const struct execution *row = &launch->row;
    struct live *l;
    int r = live_new_at(o, state_dir, row, &l);
    if (r < 0)
        return r;
    l->is_adopted = true;
    log_info("execution adopted", "execution_id", row->id.hex, "status",
             exec_status_name(row->state.status), "last_seq", LOG_NUM(row->state.last_seq));
    r = live_take_plan(l, launch);
    if (r < 0 && r != ERR_NOMEM)
        return 0;
    if (r == 0)
        r = live_open_feed(l);
    if (r == ERR_NOMEM) {
        live_free(l); /* whatever is tried next begins anew */
        return r;
    }
    if (r == 0)
        go_on(l);
    else if (r == ERR_NOT_FOUND && has_never_begun(l))
        live_launch_again(l);
    else if (r == ERR_NOT_FOUND)
        replace_run_dir(l);
    else
        give_up(l, r);
    return 0;
}

/* ---- the chain ---- */

static void cancelled(struct op *op, const struct problem *p)
{
    struct start *s = CONTAINER_OF(op, struct start, op);
    s->fn(s->user, p->err);
}

static void finish(struct start *s, int err)
{
    s->fn(s->user, err);
    free(s);
}

static void adopted(void *user, int err, const struct store_launch *rows, size_t n)
{
    struct start *s = user;
    struct orchestrator *o = s->op.o;
    if (!op_end(&s->op)) {
        free(s);
        return;
    }
    if (err == 0)
        err = orphans_begin(o);
    for (size_t i = 0; err == 0 && i < n; i++)
        err = recover_adopt(o, o->state_dir, &rows[i]);
    if (err == 0) {
        o->is_started = true;
        leftovers_look(o);
        sweeper_start(o->sweeper);
        queue_start(o->queue);
        leases_start(o->leases);
    }
    finish(s, err);
}

/* Goes on with the next step, or ends with its error. */
static void next(struct start *s, struct orchestrator *o, int err)
{
    if (err < 0)
        finish(s, err);
    else
        op_begin(o, &s->op, cancelled);
}

static void registered(void *user, int err, const struct db_result *r UNUSED)
{
    struct start *s = user;
    struct orchestrator *o = s->op.o;
    if (!op_end(&s->op)) {
        free(s);
        return;
    }
    if (err == 0)
        err = store_execution_adopt(o->pool, o->gateway_id, adopted, s);
    next(s, o, err);
}

static void key_loaded(void *user, int err, const struct db_result *r)
{
    struct start *s = user;
    struct orchestrator *o = s->op.o;
    size_t len = 0;
    if (!op_end(&s->op)) {
        free(s);
        return;
    }
    if (err == 0) {
        const void *key = db_rows(r, 0) == 1 ? db_get_bytes(r, 0, 0, 0, &len) : NULL;
        if (!key || len != sizeof o->token_key) {
            log_error("the stored key is not usable", "name", STREAM_KEY_NAME);
            err = ERR_CORRUPT;
        } else {
            memcpy(o->token_key, key, len);
            o->has_token_key = true;
            err = leases_renew(o, true, registered, s);
        }
    }
    next(s, o, err);
}

int orchestrator_start(struct orchestrator *o, orchestrator_fn fn, void *user)
{
    uint8_t fresh[TOKEN_KEY_LEN];
    struct start *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->fn = fn;
    s->user = user;
    randombytes_buf(fresh, sizeof fresh);
    int r = store_server_key(o->pool, STREAM_KEY_NAME, fresh, sizeof fresh, key_loaded, s);
    sodium_memzero(fresh, sizeof fresh);
    if (r < 0) {
        free(s);
        return r;
    }
    op_begin(o, &s->op, cancelled);
    return 0;
}
