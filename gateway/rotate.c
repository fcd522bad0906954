/*
 * A rotation as a program's whole run: the database is found as the server finds it, a private
 * cluster that is up already is used as it is.
 */
#include "gateway/rotate.h"

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "db/cluster.h"
#include "db/migrate.h"
#include "db/pool.h"
#include "orchestrator/rotate.h"
#include "orchestrator/seal.h"

#include <stdio.h>

struct run {
    const struct options *o;
    struct sealer *sealer;
    struct loop *loop;
    struct db_cluster *cluster;
    const char *conninfo;
    struct db_pool *pool;
    struct rotation *rotation;
    struct loop_timer *deadline;
    int exit_code;
};

static void end(struct run *r, const char *step, int err)
{
    if (err < 0) {
        (void)fprintf(stderr, "tailgated: the secrets key was not replaced: %s: %s\n", step,
                      err_name(err));
        r->exit_code = 1;
    }
    loop_stop(r->loop);
}

static void on_rotated(void *user, int err, const struct rotation_result *done)
{
    struct run *r = user;
    (void)printf("Current key: %s\n", sealer_key_id(r->sealer));
    (void)printf("Sealed anew: %zu; old keys dropped: %zu\n", done->resealed, done->dropped);
    if (done->failed > 0)
        (void)printf("Cannot be opened with any key of the file: %zu (see the log); their keys "
                     "stay in the file\n",
                     done->failed);
    (void)fflush(stdout);
    end(r, "rotation", err == 0 && done->failed > 0 ? ERR_CORRUPT : err);
}

static void on_ready(void *user)
{
    struct run *r = user;
    loop_timer_stop(r->deadline);
    int err = rotation_start(r->pool, r->sealer, on_rotated, r, &r->rotation);
    if (err < 0)
        end(r, "rotation", err);
}

static void on_late(void *user)
{
    end(user, "database", ERR_DB_AWAY);
}

static void on_migrated(void *user, int err, int applied UNUSED)
{
    struct run *r = user;
    struct db_pool_opts opts = DB_POOL_DEFAULTS;
    opts.conninfo = r->conninfo;
    opts.size = 1;
    opts.deadline_ms = r->o->db_deadline_ms;
    opts.application_name = "tailgated rotate";
    if (err == 0)
        err = db_pool_new(r->loop, &opts, &r->pool);
    if (err < 0) {
        end(r, "database", err);
        return;
    }
    loop_timer_start(r->deadline, r->o->db_deadline_ms, 0);
    db_pool_on_ready(r->pool, on_ready, r);
}

static void migrate(struct run *r)
{
    int err = db_migrate(r->loop, r->conninfo, on_migrated, r);
    if (err < 0)
        end(r, "database", err);
}

static void on_cluster(void *user, int err)
{
    struct run *r = user;
    if (err < 0) {
        end(r, "private PostgreSQL", err);
        return;
    }
    r->conninfo = db_cluster_conninfo(r->cluster);
    migrate(r);
}

static void start(struct run *r)
{
    if (r->o->database_url) {
        r->conninfo = r->o->database_url;
        migrate(r);
        return;
    }
    int err = db_cluster_start(r->loop, r->o->state_dir, r->o->postgres_bin_dir, on_cluster, r,
                               &r->cluster);
    if (err < 0)
        end(r, "private PostgreSQL", err);
}

static void on_cluster_stopped(void *user, int err UNUSED)
{
    struct run *r = user;
    loop_stop(r->loop);
}

static void tear_down(struct run *r, bool owns)
{
    db_pool_free(r->pool);
    rotation_free(r->rotation);
    if (r->cluster && owns) {
        db_cluster_stop(r->cluster, on_cluster_stopped, r);
        (void)!loop_run(r->loop);
    }
    db_cluster_free(r->cluster);
    loop_timer_free(r->deadline);
    loop_free(r->loop);
}

int rotate_run(const struct options *o, struct sealer *s, bool owns)
{
    struct run r = {.o = o, .sealer = s};
    int err = loop_new(&r.loop);
    if (err == 0)
        err = loop_timer_new(r.loop, on_late, &r, &r.deadline);
    if (err < 0) {
        log_error("start failed", "step", "event loop", "error", err_name(err));
        return 1;
    }
    start(&r);
    if (r.exit_code == 0)
        (void)!loop_run(r.loop);
    tear_down(&r, owns);
    return r.exit_code;
}
