/*
 * From a committed row to a started runner: run directory, feed, workspace, spec, engine. A few
 * small files, so it is done on the loop. The spec is last: a runner that finds one finds all.
 */
#include "orchestrator/live.h"

#include "base/log.h"
#include "base/str.h"
#include "orchestrator/request.h"
#include "orchestrator/workspace.h"
#include "spool/spec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* -errno. */
static int write_spec(const struct live *l, char **env)
{
    const struct orchestrator *o = l->o;
    struct run_spec spec = {
        .command = l->row.command,
        .workspace = l->workspace,
        .env = env,
        .tty = l->row.tty,
        .set_ids = o->set_ids,
        .uid = o->uid,
        .gid = o->gid,
        .timeout_ms = l->row.timeout_s * 1000,
        .grace_ms = l->row.grace_s * 1000,
        .drain_ms = o->opts.drain_ms,
        .spool_max = o->opts.spool_max,
        .spool_full = o->opts.spool_full_fails ? SPEC_SPOOL_FULL_FAIL : SPEC_SPOOL_FULL_BLOCK,
        .sandbox = o->set_ids ? SPEC_SANDBOX_SCOPE : SPEC_SANDBOX_FILES,
        .read_paths = o->read_paths,
        .write_paths = o->write_paths,
    };
    (void)snprintf(spec.id, sizeof spec.id, "%s", l->row.id.hex);
    int dirfd = rundir_open(l->run_dir);
    if (dirfd < 0)
        return dirfd;
    int r = run_spec_write(dirfd, &spec);
    (void)close(dirfd);
    return r;
}

/* -errno. */
static int prepare(const struct live *l, char *const *overrides)
{
    const struct orchestrator *o = l->o;
    char **env;
    int r = workspace_create(l->workspace, o->set_ids, o->uid, o->gid);
    if (r < 0)
        return r;
    if (request_environment(o, &l->row.id, l->workspace, overrides, &env) < 0)
        return -ENOMEM;
    r = write_spec(l, env);
    strings_free(env);
    return r;
}

void live_launch(struct live *l, char *const *env)
{
    int r = rundir_create(l->run_dir, l->row.id.hex, l->row.state.started_at_us);
    if (r < 0 || live_open_feed(l) < 0) {
        log_error("cannot make the run directory", "path", l->run_dir, "error",
                  r < 0 ? strerror(-r) : "its spool cannot be read");
        live_end_directly(l, RUN_START_FAILED);
        return;
    }
    r = prepare(l, env);
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
