/*
 * The docker engine's operations. A record lives from a start to the container's end, or until its
 * owner forgets it; the container itself outlives both and is found again by its name.
 */
#include "orchestrator/engines/docker_internal.h"

#include "base/log.h"
#include "base/str.h"
#include "spool/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void docker_container_name(const char *run_dir, char ret[DOCKER_NAME_SIZE])
{
    const char *slash = strrchr(run_dir, '/');
    (void)snprintf(ret, DOCKER_NAME_SIZE, "tailgate-%.32s", slash ? slash + 1 : run_dir);
}

void docker_auth_free(char *auth)
{
    if (auth)
        explicit_bzero(auth, strlen(auth));
    free(auth);
}

void docker_container_free(struct container *c)
{
    if (!c)
        return;
    list_remove(&c->node);
    docker_forget(c->d->api, c);
    loop_timer_free(c->timer);
    json_decref(c->config);
    free(c->run_dir);
    free(c->image);
    free(c->platform);
    docker_auth_free(c->auth);
    free(c);
}

/* Who is root in the container, without capabilities, is not their owner; tailgated as an ordinary
 * user cannot give them away. */
static int hand_over(int dirfd)
{
    static const char *const names[] = {RUNDIR_SPEC, RUNDIR_SPOOL, RUNDIR_ACK, RUNDIR_LOCK};
    int rc = rundir_prepare_lock(dirfd);
    for (size_t i = 0; rc == 0 && geteuid() == 0 && i < ARRAY_SIZE(names); i++) {
        if (fchownat(dirfd, names[i], DOCKER_FILES_UID, DOCKER_FILES_UID, AT_SYMLINK_NOFOLLOW) &&
            errno != ENOENT) /* of a spec that was read already */
            rc = -errno;
    }
    return rc;
}

static int prepare_files(const char *run_dir)
{
    int dirfd = rundir_open(run_dir);
    if (dirfd < 0)
        return dirfd == -ENOENT ? ERR_NOT_FOUND : ERR_SYS;
    int rc = hand_over(dirfd);
    (void)close(dirfd);
    if (rc < 0)
        log_error("cannot prepare the files for a container", "run_dir", run_dir, "error",
                  strerror(-rc));
    return rc < 0 ? ERR_SYS : 0;
}

static int fill(struct container *c, const struct engine_run *run)
{
    int err = str_set(&c->run_dir, run->run_dir);
    if (!err)
        err = str_set(&c->image, run->image);
    if (!err)
        err = str_set(&c->platform, run->platform);
    if (!err)
        err = str_set(&c->auth, run->registry_auth);
    if (!err)
        err = docker_config_make(c->d, run, &c->config);
    return err ? err : prepare_files(run->run_dir);
}

static int docker_start_run(struct engine *engine, const struct engine_run *run,
                            const struct engine_start *fns, void *user)
{
    struct docker *d = CONTAINER_OF(engine, struct docker, base);
    struct container *c = run->image ? calloc(1, sizeof(*c)) : NULL;
    if (!c)
        return run->image ? ERR_NOMEM : ERR_INVALID;
    list_append(&d->containers, &c->node);
    c->d = d;
    c->started = fns->started;
    c->on_line = fns->on_line;
    c->on_gone = fns->on_gone;
    c->user = user;
    docker_container_name(run->run_dir, c->name);
    int err = fill(c, run);
    if (!err)
        err = docker_start_begin(c);
    if (err)
        docker_container_free(c);
    return err;
}

static void docker_forget_user(struct engine *engine, void *user)
{
    struct docker *d = CONTAINER_OF(engine, struct docker, base);
    LIST_FOREACH_SAFE (it, &d->containers) {
        struct container *c = LIST_ENTRY(it, struct container, node);
        if (c->user == user)
            docker_container_free(c);
    }
    docker_endings_forget(d, user);
    docker_questions_forget(d, user);
}

/* Nobody waits for the answer: who asked looks at the lock, and asks again. */
static void on_signalled(void *user UNUSED, int err, const struct problem *p,
                         const json_t *json UNUSED)
{
    if (err && err != ERR_NOT_FOUND && err != ERR_CONFLICT)
        log_warn("container could not be told to stop", "error", p->details);
}

static int docker_stop(struct engine *engine, const char *run_dir)
{
    struct docker *d = CONTAINER_OF(engine, struct docker, base);
    char name[DOCKER_NAME_SIZE];
    LIST_FOREACH (it, &d->containers) {
        struct container *c = LIST_ENTRY(it, struct container, node);
        if (str_eq(c->run_dir, run_dir) && docker_start_stop(c))
            return 0;
    }
    docker_container_name(run_dir, name);
    return docker_kill(d->api, name, "SIGTERM", on_signalled, d);
}

static int docker_liveness(struct engine *engine UNUSED, const char *run_dir,
                           enum rundir_liveness *ret)
{
    return engine_liveness(run_dir, ret);
}

static void docker_free(struct engine *engine)
{
    struct docker *d = CONTAINER_OF(engine, struct docker, base);
    LIST_FOREACH_SAFE (it, &d->containers)
        docker_container_free(LIST_ENTRY(it, struct container, node));
    docker_endings_free(d);
    docker_questions_free(d);
    docker_api_free(d->api);
    free(d->gateway_id);
    free(d->runner_path);
    free(d->state_dir);
    free(d->host_state_dir);
    free(d->network);
    free(d);
}

static const struct engine_ops docker_ops = {
    .name = "docker",
    .workspace = DOCKER_WORKSPACE,
    .start = docker_start_run,
    .forget = docker_forget_user,
    .stop = docker_stop,
    .inspect = docker_liveness,
    .explain = docker_explain,
    .clean = docker_clean,
    .check = docker_check,
    .list = docker_list_runs,
    .has_image = docker_has_image,
    .free = docker_free,
};

int engine_docker_new(struct loop *l, const struct docker_opts *opts, struct engine **ret)
{
    struct docker *d = calloc(1, sizeof(*d));
    if (!d)
        return ERR_NOMEM;
    list_init(&d->containers);
    list_init(&d->endings);
    list_init(&d->questions);
    d->base.ops = &docker_ops;
    d->loop = l;
    d->opts = *opts;
    int err = docker_api_new(l, opts->host, &d->api);
    if (!err)
        err = str_set(&d->gateway_id, opts->gateway_id);
    if (!err)
        err = str_set(&d->runner_path, opts->runner_path);
    if (!err)
        err = str_set(&d->state_dir, opts->state_dir);
    if (!err)
        err = str_set(&d->host_state_dir, opts->host_state_dir);
    if (!err)
        err = str_set(&d->network, opts->network);
    if (err) {
        docker_free(&d->base);
        return err;
    }
    *ret = &d->base;
    return 0;
}
