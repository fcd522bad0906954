/*
 * The orchestrator's life cycle: directories and the user commands run as are settled at its birth
 * (nothing runs as root, whatever was asked for), work begins with orchestrator_start, and at its
 * end runners are left alone: the next start goes on with them.
 */
#include "orchestrator/orchestrator.h"

#include "base/log.h"
#include "base/str.h"
#include "orchestrator/audit.h"
#include "orchestrator/health.h"
#include "orchestrator/leases.h"
#include "orchestrator/live.h"
#include "orchestrator/orphans.h"
#include "orchestrator/queue.h"
#include "orchestrator/recover.h"
#include "orchestrator/trace.h"
#include "orchestrator/workspace.h"

#include <errno.h>
#include <pwd.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- whom commands run as ---- */

static int run_user_of_root(struct orchestrator *o)
{
    const char *name = o->run_user ? o->run_user : "";
    errno = 0;
    const struct passwd *pw = getpwnam(name);
    if (!pw) {
        log_error("no such user for commands", "run_user", name, "error",
                  errno ? strerror(errno) : "not found");
        return ERR_INVALID;
    }
    if (pw->pw_uid == 0) {
        log_error("commands never run as root", "run_user", name);
        return ERR_INVALID;
    }
    o->set_ids = true;
    o->uid = pw->pw_uid;
    o->gid = pw->pw_gid;
    return str_copy(o->user_name, sizeof o->user_name, pw->pw_name);
}

static int find_run_user(struct orchestrator *o)
{
    if (geteuid() == 0)
        return run_user_of_root(o);
    const struct passwd *pw = getpwuid(geteuid());
    o->uid = geteuid();
    o->gid = getegid();
    if (pw)
        return str_copy(o->user_name, sizeof o->user_name, pw->pw_name);
    (void)snprintf(o->user_name, sizeof o->user_name, "%lld", (long long)o->uid);
    return 0;
}

/* Documentation/userspace-api/landlock.rst: this call tells the version that the kernel has. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif
#define LANDLOCK_CREATE_RULESET_VERSION_FLAG 1u

static void warn_without_landlock(const struct orchestrator *o)
{
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION_FLAG) > 0)
        return;
    log_warn("this kernel has no Landlock", "consequence",
             o->set_ids ? "commands can reach each other's processes and workspaces"
                        : "commands can read and change all that this user can, the server's own "
                          "files included");
}

/* ---- directories ---- */

static int make_dir(const char *path, mode_t mode)
{
    if ((mkdir(path, mode) < 0 && errno != EEXIST) || chmod(path, mode) < 0) {
        log_error("cannot make a directory", "path", path, "error", strerror(errno));
        return ERR_SYS;
    }
    return 0;
}

static int make_dirs(struct orchestrator *o)
{
    int r = make_dir(o->runs_dir, 0700);
    if (r == 0)
        r = make_dir(o->workspaces_dir, o->set_ids ? 0711 : 0700);
    return r;
}

/* ---- life cycle ---- */

/* One that another gateway has taken over has its run directory here until its end. */
static bool is_live(void *user, const char *id)
{
    struct orchestrator *o = user;
    LIST_FOREACH (it, &o->lives) {
        if (str_eq(LIST_ENTRY(it, struct live, node)->row.id.hex, id))
            return true;
    }
    char *run_dir CLEANUP_FREE = path_join(o->runs_dir, id);
    return !run_dir || access(run_dir, F_OK) == 0;
}

static int copy_opts(struct orchestrator *o, const struct orchestrator_opts *opts)
{
    o->opts = *opts;
    if (str_set(&o->state_dir, opts->state_dir) < 0 ||
        str_set(&o->gateway_id, opts->gateway_id) < 0 ||
        str_set(&o->run_user, opts->run_user) < 0 ||
        str_set(&o->git_protocols, opts->git_protocols) < 0 ||
        str_set(&o->container_user, opts->container_user) < 0 ||
        str_set(&o->registry_secrets, opts->registry_secrets) < 0)
        return ERR_NOMEM;
    o->opts.state_dir = o->state_dir;
    o->opts.gateway_id = o->gateway_id;
    o->opts.run_user = o->run_user;
    o->opts.git_protocols = o->git_protocols;
    o->opts.container_user = o->container_user;
    o->opts.registry_secrets = o->registry_secrets;
    o->runs_dir = path_join(o->state_dir, RUNS_DIR);
    o->workspaces_dir = path_join(o->state_dir, WORKSPACES_DIR);
    o->read_paths = paths_split(opts->sandbox_read_paths);
    o->write_paths = paths_split(opts->sandbox_write_paths);
    o->opts.sandbox_read_paths = o->opts.sandbox_write_paths = NULL;
    if (!o->runs_dir || !o->workspaces_dir || !o->read_paths || !o->write_paths)
        return ERR_NOMEM;
    return 0;
}

static int set_up(struct orchestrator *o, const struct orchestrator_opts *opts)
{
    if (sodium_init() < 0)
        return ERR_INTERNAL;
    int r = copy_opts(o, opts);
    if (r == 0)
        r = find_run_user(o);
    if (r == 0)
        r = make_dirs(o);
    if (r == 0)
        r = sweeper_new(o->loop, o->workspaces_dir, opts->workspace_retention_ms, is_live, o,
                        &o->sweeper);
    if (r == 0)
        r = leases_new(o, &o->leases);
    if (r == 0)
        r = queue_new(o, &o->queue);
    if (r < 0)
        return r;
    warn_without_landlock(o);
    if (gethostname(o->host, sizeof o->host - 1) < 0)
        o->host[0] = '\0';
    o->booted_us = recover_boot_time_us("/proc/stat");
    return 0;
}

int orchestrator_new(struct loop *l, struct db_pool *pool, struct hub *hub, struct writer *writer,
                     struct engine *engine, const struct orchestrator_opts *opts,
                     struct orchestrator **ret)
{
    struct orchestrator *o = calloc(1, sizeof *o);
    if (!o)
        return ERR_NOMEM;
    o->loop = l;
    o->pool = pool;
    o->hub = hub;
    o->writer = writer;
    o->engine = engine;
    list_init(&o->lives);
    list_init(&o->ops);
    list_init(&o->doubts);
    int r = set_up(o, opts);
    if (r < 0) {
        orchestrator_free(o);
        return r;
    }
    *ret = o;
    return 0;
}

void orchestrator_leave(struct orchestrator *o)
{
    o->is_leaving = true;
    audit_flush(o);
}

void orchestrator_free(struct orchestrator *o)
{
    if (!o)
        return;
    ops_cancel_all(o);
    health_free(o->health);
    doubts_free(o);
    orphans_end(o);
    for (struct list *node; (node = o->lives.next) != &o->lives;)
        live_free(LIST_ENTRY(node, struct live, node));
    audit_free(o->audit);
    tracer_free(o->tracer);
    leases_free(o->leases);
    sweeper_free(o->sweeper);
    queue_free(o->queue);
    free(o->state_dir);
    free(o->gateway_id);
    free(o->run_user);
    free(o->git_protocols);
    free(o->runs_dir);
    free(o->workspaces_dir);
    strings_free(o->read_paths);
    strings_free(o->write_paths);
    free(o->container_user);
    free(o->registry_secrets);
    sodium_memzero(o->token_key, sizeof o->token_key);
    free(o);
}

bool orchestrator_is_ready(const struct orchestrator *o)
{
    return o->is_started && !o->is_leaving && db_pool_is_ready(o->pool);
}

size_t orchestrator_live_count(const struct orchestrator *o)
{
    size_t n = 0;
    LIST_FOREACH (it, &o->lives) {
        const struct live *l = LIST_ENTRY(it, struct live, node);
        n += !l->is_over && !l->is_forgotten;
    }
    return n;
}
