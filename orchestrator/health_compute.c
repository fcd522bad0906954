/* Whether the engine answers, and whether each live execution of ours has its runner. */
#include "orchestrator/health_internal.h"

#include "base/str.h"
#include "db/store_executions.h"
#include "db/store_health.h"
#include "orchestrator/live.h"

#include <string.h>
#include <unistd.h>

#define SLICE 64 /* runners looked at in one turn of the loop */

/* ---- the engine ---- */

static void on_engine(void *user, int err, const struct problem *p)
{
    struct health_check *c = user;
    if (!health_release_engine(c))
        return;
    c->h->engine_away = err < 0;
    if (err < 0) {
        health_issue(&c->h->report, HEALTH_ERROR, "engine", c->h->o->engine->ops->name, p->details,
                     "start the daemon, or let the server's user open its socket (--docker-host)");
    }
    health_done(c);
}

int health_check_engine(struct health_check *c)
{
    struct engine *e = c->h->o->engine;
    if (!e->ops->check) {
        health_done(c);
        return 0;
    }
    c->h->engine_away = true; /* until it answers: so it stays when that takes too long */
    health_hold_engine(c);
    int r = e->ops->check(e, on_engine, c);
    if (r < 0)
        (void)health_release_engine(c);
    return r;
}

/* ---- rows of ours that nothing here goes on with ---- */

static void end_if_over(struct health_check *c)
{
    if (c->refs == 1)
        health_done(c);
}

static void row_read(void *user, int err, const struct execution *row)
{
    struct health_check *c = user;
    struct live *l;
    if (!health_release(c))
        return;
    struct health *h = c->h;
    struct orchestrator *o = h->o;
    bool ours = err == 0 && !exec_status_is_terminal(row->state.status) &&
                str_eq(row->owner, o->gateway_id) && !live_find(o, row->key) &&
                !doubt_is_about(o, &row->id);
    if (ours && live_new(o, row, &l) == 0) {
        health_repaired(&h->report, "execution", row->id.hex,
                        "it is live in the database, but nothing of it is here", "ended as FAILED");
        live_end_directly(l, RUN_LOST);
    }
    end_if_over(c);
}

static void lost_row(struct health_check *c, const char *id)
{
    struct orchestrator *o = c->h->o;
    struct execution_id parsed;
    char *dir CLEANUP_FREE = path_join(o->runs_dir, id);
    if (execution_id_parse(id, &parsed) < 0 || live_find(o, execution_id_key(&parsed)) || !dir)
        return;
    if (access(dir, F_OK) == 0) {
        health_issue(&c->h->report, HEALTH_ERROR, "execution", id,
                     "it is live and has a run directory, but this server does not follow it",
                     "restart the server: it goes on with it");
        return;
    }
    health_hold(c);
    if (store_execution_get(o->pool, &parsed, row_read, c) < 0)
        (void)health_release(c);
}

static void on_rows(void *user, int err, const struct db_result *r)
{
    struct health_check *c = user;
    if (!health_release(c))
        return;
    if (err < 0) {
        health_failed(c, err, NULL);
        return;
    }
    struct health *h = c->h;
    for (size_t i = 0; i < db_rows(r, 0); i++) {
        size_t before = h->images.len;
        if (buf_append(&h->images, db_get_text(r, 0, i, 0), strlen(db_get_text(r, 0, i, 0)) + 1) <
                0 ||
            buf_append(&h->images, db_get_text(r, 0, i, 1), strlen(db_get_text(r, 0, i, 1)) + 1) <
                0) {
            h->images.len = before;
            break;
        }
    }
    for (size_t i = 0; i < db_rows(r, 1); i++)
        lost_row(c, db_get_text(r, 1, i, 0));
    end_if_over(c);
}

int health_check_rows(struct health_check *c)
{
    struct orchestrator *o = c->h->o;
    health_hold(c);
    int r = store_health_compute(o->pool, o->gateway_id, o->opts.settle_ms, on_rows, c);
    if (r < 0)
        (void)health_release(c);
    return r;
}

/* ---- runners ---- */

static void look_at(struct health *h, struct live *l)
{
    if (l->is_over || l->is_forgotten || l->is_starting || l->is_gone || !l->feed)
        return;
    h->report.compute.total++;
    live_look(l);
    if (!l->is_gone) {
        h->report.compute.verified++;
        return;
    }
    h->report.compute.recreated++;
    health_repaired(&h->report, "execution", l->row.id.hex, "its runner is gone",
                    "what it wrote is read to the end, then it is ended");
}

static void look_on(void *user)
{
    struct health_check *c = user;
    int64_t key;
    for (size_t n = 0; n < SLICE && c->at + sizeof key <= c->names.len; n++) {
        memcpy(&key, c->names.data + c->at, sizeof key);
        c->at += sizeof key;
        struct live *l = live_find(c->h->o, key);
        if (l)
            look_at(c->h, l);
    }
    if (c->at >= c->names.len)
        health_done(c);
    else
        loop_timer_start(c->turn, 0, 0);
}

int health_check_runners(struct health_check *c)
{
    struct orchestrator *o = c->h->o;
    c->names.max = o->opts.max_live * 2 * sizeof(int64_t);
    LIST_FOREACH (it, &o->lives) {
        int64_t key = LIST_ENTRY(it, struct live, node)->row.key;
        int r = buf_append(&c->names, &key, sizeof key);
        if (r == ERR_TOO_LARGE)
            break;
        if (r < 0)
            return r;
    }
    int r = loop_timer_new(o->loop, look_on, c, &c->turn);
    if (r == 0)
        loop_timer_start(c->turn, 0, 0);
    return r;
}
