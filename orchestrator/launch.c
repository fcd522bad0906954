/*
 * From a committed row to a started runner: run directory, feed, workspace, spec, engine. A few
 * small files, so it is done on the loop. The spec is last: a runner that finds one finds all.
 */
#include "orchestrator/live.h"

#include "base/log.h"
#include "base/str.h"
#include "db/store_runs.h"
#include "logs/redact.h"
#include "logs/writer.h"
#include "orchestrator/environment.h"
#include "orchestrator/git.h"
#include "orchestrator/workspace.h"
#include "spool/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What of the spec is made for it. */
struct parts {
    char **env, **setup_env;
    char *setup, *directory, *begins_at;
};

static void parts_done(struct parts *m)
{
    strings_free(m->env);
    strings_free(m->setup_env);
    free(m->setup);
    free(m->directory);
    free(m->begins_at);
}

/* The workspace as the command sees it. */
static const char *workspace_inside(const struct live *l)
{
    const char *inside = l->o->engine->ops->workspace;
    return inside ? inside : l->workspace;
}

static int parts_make(const struct live *l, struct parts *m)
{
    const struct orchestrator *o = l->o;
    const char *workspace = workspace_inside(l);
    int err = git_directory(&l->plan, &m->directory);
    if (err == 0)
        err = git_setup(o, workspace, &l->plan, &m->setup, &m->setup_env);
    if (err == 0 && m->directory)
        m->begins_at = path_join(workspace, m->directory);
    if (err == 0 && m->directory && !m->begins_at)
        err = ERR_NOMEM;
    if (err < 0)
        return err;
    return environment_make(o, &l->row.id, workspace, m->directory ? m->begins_at : workspace,
                            &l->plan, &m->env);
}

/* Who the command is and what confines it: this host, or the container that it is in. */
static void set_confinement(const struct live *l, struct run_spec *spec)
{
    const struct orchestrator *o = l->o;
    if (o->engine->ops->workspace) {
        spec->sandbox = SPEC_SANDBOX_CONTAINER;
        spec->user = o->container_user;
        return;
    }
    spec->set_ids = o->set_ids;
    spec->uid = o->uid;
    spec->gid = o->gid;
    spec->sandbox = o->set_ids ? SPEC_SANDBOX_SCOPE : SPEC_SANDBOX_FILES;
    if (o->set_ids)
        spec->hidden = l->state_dir; /* of other runs of that user, too */
    spec->read_paths = o->read_paths;
    spec->write_paths = o->write_paths;
}

/* -errno. */
static int write_spec(const struct live *l, const struct parts *m)
{
    const struct orchestrator *o = l->o;
    struct run_spec spec = {
        .command = l->row.command,
        .workspace = (char *)workspace_inside(l), /* not written to */
        .directory = m->directory,
        .env = m->env,
        .setup = m->setup,
        .setup_env = m->setup_env,
        .tty = l->row.tty,
        .timeout_ms = l->row.timeout_s * 1000,
        .grace_ms = l->row.grace_s * 1000,
        .drain_ms = o->opts.drain_ms,
        .spool_max = o->opts.spool_max,
        .spool_full = o->opts.spool_full_fails ? SPEC_SPOOL_FULL_FAIL : SPEC_SPOOL_FULL_BLOCK,
    };
    set_confinement(l, &spec);
    (void)snprintf(spec.id, sizeof spec.id, "%s", l->row.id.hex);
    int dirfd = rundir_open(l->run_dir);
    if (dirfd < 0)
        return dirfd;
    int r = run_spec_write(dirfd, &spec);
    (void)close(dirfd);
    return r;
}

/* -errno. */
static int prepare(const struct live *l)
{
    const struct orchestrator *o = l->o;
    struct parts m = {0};
    int r = workspace_create(l->workspace, o->set_ids, o->uid, o->gid);
    if (r == 0)
        r = environment_write_file(o, l->workspace, &l->plan);
    if (r == 0)
        r = parts_make(l, &m) < 0 ? -ENOMEM : write_spec(l, &m);
    parts_done(&m);
    return r;
}

/* Names, never values. */
static void tell_unredacted(struct live *l)
{
    struct buf names CLEANUP_BUF = {.max = 480};
    char line[640];
    if (plan_unredacted(&l->plan, &names) < 0 && names.len == 0)
        return;
    if (names.len == 0)
        return;
    (void)snprintf(line, sizeof line,
                   "tailgate: shorter than %u bytes, and so not replaced in this log: %s",
                   REDACT_VALUE_MIN, names.data);
    if (feed_system_line(l->feed, line) < 0)
        log_warn("system line dropped", "execution_id", l->row.id.hex, "line", line);
}

void live_begin(struct live *l)
{
    int r = prepare(l);
    if (r < 0) {
        char line[160];
        (void)snprintf(line, sizeof line, "tailgate: the command could not be started: %s",
                       strerror(-r));
        log_error("cannot prepare a run", "execution_id", l->row.id.hex, "error", strerror(-r));
        (void)live_fail(l, RUN_START_FAILED, line);
        return;
    }
    live_start(l);
}

void live_launch_again(struct live *l)
{
    int r = rundir_create(l->run_dir, l->row.id.hex, l->row.state.started_at_us);
    if (r < 0 || live_open_feed(l) < 0) {
        log_error("cannot make the run directory", "path", l->run_dir, "error",
                  r < 0 ? strerror(-r) : "its spool cannot be read");
        live_end_directly(l, RUN_START_FAILED);
        return;
    }
    tell_unredacted(l);
    live_begin(l);
}

void live_launch(struct live *l, struct plan *plan)
{
    l->plan = *plan;
    plan_init(plan);
    live_launch_again(l);
}

int live_take_plan(struct live *l, const struct store_launch *launch)
{
    int err = plan_open(l->o, &l->row.id, launch->seal_key_id, launch->sealed, launch->sealed_len,
                        &l->plan);
    if (err == 0 || err == ERR_NOMEM)
        return err;
    /* Without it nobody knows what is secret in the lines to come. */
    log_error("what was sealed for an execution cannot be opened", "execution_id", l->row.id.hex,
              "key_id", launch->seal_key_id, "error", err_name(err));
    if (live_runner_lives(l))
        live_stop(l);
    live_end_directly(l, RUN_PLAN_LOST);
    return err;
}

void live_resume(struct live *l, const struct store_launch *launch)
{
    int err = live_take_plan(l, launch);
    if (err == ERR_NOMEM)
        live_end_directly(l, RUN_START_FAILED);
    else if (err == 0)
        live_launch_again(l);
}
