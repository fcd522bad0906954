/*
 * Looks for rows that nobody starts (orphans.h).
 *
 *   look ─▶ rows in STARTING, ours, not live here, no run directory ─▶ watched ─▶ (settle_ms) ended
 *                                              gone from the list ◀──┘
 */
#include "orchestrator/orphans.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store_executions.h"
#include "orchestrator/live.h"

#include <unistd.h>

#define LOOKS 3 /* in settle_ms */
#define ROWS_MAX 1000

struct watched {
    int64_t key, since_ms;
    bool is_seen; /* by this look */
};

struct orphans {
    struct op op;
    struct orchestrator *o;
    struct loop_timer *timer;
    bool is_asking;
    size_t count;
    struct watched watched[ROWS_MAX];
};

static bool is_orphan(const struct orchestrator *o, const struct execution *row)
{
    if (!str_eq(row->owner, o->gateway_id) || live_find(o, row->key))
        return false;
    char *dir CLEANUP_FREE = path_join(o->runs_dir, row->id.hex);
    return dir && access(dir, F_OK) < 0;
}

static struct watched *watch(struct orphans *w, int64_t key, int64_t now)
{
    for (size_t i = 0; i < w->count; i++) {
        if (w->watched[i].key == key)
            return &w->watched[i];
    }
    if (w->count == ROWS_MAX)
        return NULL;
    w->watched[w->count] = (struct watched){.key = key, .since_ms = now};
    return &w->watched[w->count++];
}

static void end_row(struct orchestrator *o, const struct execution *row)
{
    struct live *l;
    if (live_new(o, row, &l) < 0)
        return; /* the next look tries again */
    log_warn("execution was never started", "execution_id", row->id.hex);
    live_end_directly(l, RUN_START_FAILED);
}

/* Those that were not among the rows are somebody's business now, or have ended. */
static void forget_unseen(struct orphans *w)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->count; i++) {
        if (w->watched[i].is_seen)
            w->watched[kept++] = w->watched[i];
    }
    w->count = kept;
    for (size_t i = 0; i < kept; i++)
        w->watched[i].is_seen = false;
}

static void listed(void *user, int err, const struct execution *rows, size_t n)
{
    struct orphans *w = user;
    int64_t now = clock_mono_ms();
    if (!op_end(&w->op)) {
        free(w);
        return;
    }
    w->is_asking = false;
    if (err < 0)
        return;
    for (size_t i = 0; i < n; i++) {
        struct watched *one = is_orphan(w->o, &rows[i]) ? watch(w, rows[i].key, now) : NULL;
        if (!one)
            continue;
        one->is_seen = true;
        if (now - one->since_ms >= w->o->opts.settle_ms)
            end_row(w->o, &rows[i]);
    }
    forget_unseen(w);
}

static void look(void *user)
{
    struct orphans *w = user;
    const struct store_execution_filter f = {.status_mask = 1u << EXEC_STARTING, .limit = ROWS_MAX};
    if (w->is_asking || store_execution_list(w->o->pool, &f, listed, w) < 0)
        return;
    w->is_asking = true;
    op_begin(w->o, &w->op, NULL);
}

int orphans_begin(struct orchestrator *o)
{
    int64_t interval_ms = o->opts.settle_ms / LOOKS > 0 ? o->opts.settle_ms / LOOKS : 1;
    struct orphans *w = calloc(1, sizeof *w);
    if (!w || loop_timer_new(o->loop, look, w, &w->timer) < 0) {
        free(w);
        return ERR_NOMEM;
    }
    w->o = o;
    o->orphans = w;
    loop_timer_start(w->timer, interval_ms, interval_ms);
    return 0;
}

void orphans_end(struct orchestrator *o)
{
    struct orphans *w = TAKE_PTR(o->orphans);
    if (!w)
        return;
    loop_timer_free(w->timer);
    if (!w->is_asking) /* otherwise its answer frees it */
        free(w);
}
