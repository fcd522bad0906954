/* The one place, with main.c, that knows all modules. */
#include "gateway/boot.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "db/cluster.h"
#include "db/migrate.h"
#include "db/pool.h"
#include "gateway/boot_modules.h"
#include "gateway/server.h"
#include "orchestrator/audit.h"
#include "orchestrator/health.h"
#include "orchestrator/orchestrator.h"
#include "orchestrator/trace.h"
#include "orchestrator/users.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A PostgreSQL that starts beside us (compose, a reboot) is given this long. */
#define MIGRATE_TRIES 60
#define MIGRATE_RETRY_MS 1000

enum boot_phase {
    BOOT_CLUSTER,
    BOOT_MIGRATE,
    BOOT_CONNECT,
    BOOT_ADOPT,
    BOOT_BOOTSTRAP,
    BOOT_SERVING,
    BOOT_LEAVING,
    BOOT_DOWN,
};
static const char *const PHASE_NAMES[] = {"CLUSTER",   "MIGRATE", "CONNECT", "ADOPT",
                                          "BOOTSTRAP", "SERVING", "LEAVING", "DOWN"};

struct boot {
    const struct options *o;
    struct modules m;
    struct loop *loop;
    enum boot_phase phase;
    bool leaving;
    int exit_code, tries;
    struct loop_signal *on_term, *on_int;
    struct loop_timer *retry;
    struct db_cluster *cluster;
    char claim_token[CLAIM_TOKEN_LEN + 1]; /* of --bootstrap-admin, until it is shown */
};

static void set_phase(struct boot *b, enum boot_phase phase)
{
    log_debug("start", "from", PHASE_NAMES[b->phase], "to", PHASE_NAMES[phase]);
    b->phase = phase;
}

static void down(struct boot *b, int exit_code)
{
    if (b->exit_code == 0)
        b->exit_code = exit_code;
    set_phase(b, BOOT_DOWN);
    loop_stop(b->loop);
}

static void fail(struct boot *b, const char *what, int err)
{
    log_error("start failed", "step", what, "error", err_name(err));
    down(b, 1);
}

/* A setting that only its user could judge: one line that names it, like those found before. */
static void fail_setting(struct boot *b, const char *setting, const char *rule)
{
    (void)fprintf(stderr, "tailgated: %s: %s\n", setting, rule);
    down(b, 2);
}

/* ---- serving ---- */

/* On standard output, where the operator is; the log is kept and shipped to others. */
static void show_claim(struct boot *b, const char *url)
{
    const char *email = b->o->bootstrap_admin;
    const char *base = str_is_empty(b->o->public_url) ? url : b->o->public_url;
    if (!email)
        return;
    if (b->claim_token[0] == '\0')
        (void)printf("Admin %s: there is an account of that address already\n", email);
    else
        (void)printf("Admin %s: take the key, once, within %lld s:\n"
                     "  curl -sS %s/api/v1/claim/%s\n",
                     email, (long long)b->o->claim_ttl_ms / 1000, base, b->claim_token);
    explicit_bzero(b->claim_token, sizeof b->claim_token);
}

static void serve(struct boot *b)
{
    struct buf error CLEANUP_BUF = {.max = 1024};
    const char *url = NULL;
    int err = server_listen(b->m.server, &error, &url);
    if (err) {
        (void)fprintf(stderr, "tailgated: %s\n", error.data ? error.data : err_name(err));
        down(b, 2);
        return;
    }
    set_phase(b, BOOT_SERVING);
    log_info("ready", "url", url, "version", SERVER_VERSION, "gateway", b->m.gateway_id,
             "state_dir", b->o->state_dir);
    (void)printf("Tailgate is ready: %s\n", url);
    if (b->o->dev)
        (void)printf("Admin key: %s/admin.key\n"
                     "  export TAILGATE_ENDPOINT=%s TAILGATE_API_KEY=$(cat %s/admin.key)\n"
                     "  tailgate run -- 'echo hello'\n",
                     b->o->state_dir, url, b->o->state_dir);
    show_claim(b, url);
    (void)fflush(stdout);
}

static void on_bootstrapped(void *user, int err)
{
    struct boot *b = user;
    if (b->leaving)
        down(b, 0);
    else if (err)
        fail(b, "admin key", err);
    else
        serve(b);
}

static void on_admin(void *user, int err, const char *claim_token)
{
    struct boot *b = user;
    if (!err && claim_token)
        err = str_copy(b->claim_token, sizeof b->claim_token, claim_token);
    on_bootstrapped(b, err);
}

/* Of --dev; both may be asked for. */
static void on_key_made(void *user, int err)
{
    struct boot *b = user;
    if (err || b->leaving || !b->o->bootstrap_admin) {
        on_bootstrapped(b, err);
        return;
    }
    err = orchestrator_bootstrap_admin(b->m.orch, b->o->bootstrap_admin, on_admin, b);
    if (err)
        fail(b, "admin", err);
}

static void on_adopted(void *user, int err)
{
    struct boot *b = user;
    if (b->leaving) {
        down(b, 0);
        return;
    }
    if (err) {
        fail(b, "orchestrator", err);
        return;
    }
    if (!b->o->dev && !b->o->bootstrap_admin) {
        serve(b);
        return;
    }
    set_phase(b, BOOT_BOOTSTRAP);
    if (b->o->dev)
        err = orchestrator_bootstrap_dev(b->m.orch, b->o->admin_email, on_key_made, b);
    else
        err = orchestrator_bootstrap_admin(b->m.orch, b->o->bootstrap_admin, on_admin, b);
    if (err)
        fail(b, "admin key", err);
}

/* ---- modules ---- */

static void on_connected(void *user)
{
    struct boot *b = user;
    if (b->phase != BOOT_CONNECT)
        return;
    int err = modules_make(&b->m);
    set_phase(b, BOOT_ADOPT);
    if (!err)
        err = trace_begin(b->m.orch);
    if (!err)
        err = health_begin(b->m.orch);
    if (!err)
        err = orchestrator_start(b->m.orch, on_adopted, b);
    if (err)
        fail(b, "modules", err);
}

static void connect_pools(struct boot *b)
{
    int err = modules_connect(&b->m);
    if (err) {
        fail(b, "database pool", err);
        return;
    }
    set_phase(b, BOOT_CONNECT);
    db_pool_on_ready(b->m.pool, on_connected, b);
}

/* ---- database ---- */

static void migrate(void *user);

static void on_migrated(void *user, int err, int applied)
{
    struct boot *b = user;
    if (b->leaving) {
        down(b, 0);
    } else if (err == ERR_DB_AWAY && ++b->tries < MIGRATE_TRIES) {
        if (b->tries == 1)
            log_warn("the database is not reachable yet");
        loop_timer_start(b->retry, MIGRATE_RETRY_MS, 0);
    } else if (err) {
        fail(b, "migrations", err);
    } else {
        log_info("database", "migrations_applied", LOG_NUM(applied));
        connect_pools(b);
    }
}

static void migrate(void *user)
{
    struct boot *b = user;
    set_phase(b, BOOT_MIGRATE);
    int err = db_migrate(b->loop, b->m.conninfo, on_migrated, b);
    if (err == ERR_INVALID && b->o->database_url)
        fail_setting(b, "--database-url", "must be a PostgreSQL URL or conninfo string");
    else if (err)
        fail(b, "migrations", err);
}

static void on_cluster(void *user, int err)
{
    struct boot *b = user;
    if (b->leaving) {
        down(b, 0);
    } else if (err) {
        fail(b, "private PostgreSQL", err);
    } else {
        b->m.conninfo = db_cluster_conninfo(b->cluster);
        migrate(b);
    }
}

static void start(struct boot *b)
{
    if (b->o->database_url) {
        b->m.conninfo = b->o->database_url;
        migrate(b);
        return;
    }
    int err = db_cluster_start(b->loop, b->o->state_dir, b->o->postgres_bin_dir, on_cluster, b,
                               &b->cluster);
    if (err)
        fail(b, "private PostgreSQL", err);
}

/* ---- the end ---- */

static void on_drained(void *user)
{
    down(user, 0);
}

static void on_left(void *user)
{
    struct boot *b = user;
    audit_drain(b->m.orch, on_drained, b);
}

static void on_signal(void *user, int signum)
{
    struct boot *b = user;
    if (b->leaving)
        _exit(1); /* asked twice: at once */
    b->leaving = true;
    log_info("leaving", "signal", LOG_NUM(signum));
    if (b->phase == BOOT_SERVING) {
        set_phase(b, BOOT_LEAVING);
        orchestrator_leave(b->m.orch);
        server_leave(b->m.server, on_left, b);
    } else if (b->phase == BOOT_CONNECT || loop_timer_is_active(b->retry)) {
        down(b, 0);
    } /* in other phases the step under way sees it */
}

static void on_cluster_stopped(void *user, int err)
{
    struct boot *b = user;
    if (err)
        log_error("private PostgreSQL did not stop", "error", err_name(err));
    loop_stop(b->loop);
}

static void tear_down(struct boot *b)
{
    modules_free(&b->m);
    if (b->cluster) {
        db_cluster_stop(b->cluster, on_cluster_stopped, b);
        (void)!loop_run(b->loop);
        db_cluster_free(b->cluster);
    }
    loop_timer_free(b->retry);
    loop_signal_free(b->on_term);
    loop_signal_free(b->on_int);
    loop_free(b->loop);
}

int boot_run(const struct options *o, const char *gateway_id, struct sealer *sealer)
{
    struct boot b = {.o = o, .m = {.o = o, .gateway_id = gateway_id, .sealer = sealer}};
    int err = loop_new(&b.loop);
    b.m.loop = b.loop;
    if (!err)
        err = loop_signal_new(b.loop, SIGTERM, on_signal, &b, &b.on_term);
    if (!err)
        err = loop_signal_new(b.loop, SIGINT, on_signal, &b, &b.on_int);
    if (!err)
        err = loop_timer_new(b.loop, migrate, &b, &b.retry);
    if (err) {
        log_error("start failed", "step", "event loop", "error", err_name(err));
        b.exit_code = 1;
    } else {
        start(&b);
        if (b.phase != BOOT_DOWN)
            (void)!loop_run(b.loop);
    }
    tear_down(&b);
    log_info("stopped");
    return b.exit_code;
}
