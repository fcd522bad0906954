/*
 * From an image to a started container. Every step is safe to be done again: an image that is
 * there, a container that was created or started by an earlier try (of a tailgated that was
 * restarted meanwhile) are what the step wanted.
 */
#include "orchestrator/engines/docker_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define PROGRESS_EVERY_MS 1000

static const char FAILED[] = "start failed";
static const char STOPPED[] = "stopped before it was started";

static void fail(struct container *c, int err, const struct problem *why, const char *what)
{
    engine_fn started = c->started;
    void *user = c->user;
    struct problem p;
    (void)problem_set(&p, err, FAILED, "%s: %s", what, why->details);
    docker_container_free(c);
    started(user, err, &p);
}

/* The step could not even be asked for. */
static void fail_now(struct container *c, int err, const char *what)
{
    struct problem p;
    (void)problem_set(&p, err, FAILED, "%s", err_name(err));
    fail(c, err, &p, what);
}

/* ---- running ---- */

static void on_ended(void *user, int err, const struct problem *p, const json_t *json UNUSED)
{
    struct container *c = user;
    if (err && err != ERR_NOT_FOUND) { /* the daemon went away, say: the container may live on */
        log_warn("container is watched again soon", "container", c->name, "error", p->details);
        loop_timer_start(c->timer, DOCKER_RETRY_MS, 0);
        return;
    }
    engine_gone_fn on_gone = c->on_gone;
    void *owner = c->user;
    docker_container_free(c);
    on_gone(owner);
}

static void wait_for_end(struct container *c)
{
    int err = docker_wait(c->d->api, c->name, on_ended, c);
    if (err)
        loop_timer_start(c->timer, DOCKER_RETRY_MS, 0);
}

static void on_started(void *user, int err, const struct problem *p, const json_t *json UNUSED)
{
    struct container *c = user;
    if (err) {
        fail(c, err, p, "the container could not be started");
        return;
    }
    c->phase = CONTAINER_RUNNING;
    loop_timer_start(c->timer, 0, 0); /* c may be forgotten in here */
    c->started(c->user, 0, NULL);
}

/* ---- the container ---- */

static void on_created(void *user, int err, const struct problem *p, const json_t *json)
{
    struct container *c = user;
    size_t i;
    json_t *warning;
    if (err && err != ERR_CONFLICT) {
        fail(c, err, p, "the container could not be created");
        return;
    }
    if (c->is_stopping) {
        fail_now(c, ERR_CLOSED, STOPPED);
        return;
    }
    json_array_foreach (json_object_get(json, "Warnings"), i, warning)
        log_warn("container created", "container", c->name, "warning", json_string_value(warning));
    c->phase = CONTAINER_STARTING;
    err = docker_start(c->d->api, c->name, on_started, c);
    if (err)
        fail_now(c, err, "the container could not be started");
}

static void create(struct container *c)
{
    c->phase = CONTAINER_CREATING;
    int err = docker_create(c->d->api, c->name, c->platform, c->config, on_created, c);
    if (err)
        fail_now(c, err, "the container could not be created");
}

/* ---- the image ---- */

static int inspect_image(struct container *c);

static struct layer *layer_of(struct container *c, const char *id)
{
    for (size_t i = 0; i < c->layers_count; i++) {
        if (str_eq(c->layers[i].id, id))
            return &c->layers[i];
    }
    struct layer *l = &c->layers[c->layers_count];
    if (c->layers_count == DOCKER_LAYERS_MAX || str_copy(l->id, sizeof(l->id), id))
        return NULL;
    l->told_ms = -PROGRESS_EVERY_MS;
    c->layers_count++;
    return l;
}

static void on_progress(void *user, const char *id, const char *status)
{
    struct container *c = user;
    char line[640];
    int64_t now_ms = clock_mono_ms();
    struct layer *l = layer_of(c, id);
    if (l && now_ms - l->told_ms < PROGRESS_EVERY_MS)
        return;
    if (l)
        l->told_ms = now_ms;
    (void)snprintf(line, sizeof(line), "tailgate: %s%s%s", id, *id ? ": " : "", status);
    c->on_line(c->user, line);
}

static void on_pulled(void *user, int err, const struct problem *p, const json_t *json UNUSED)
{
    struct container *c = user;
    char what[320];
    if (!err) {
        err = inspect_image(c);
        if (err)
            fail_now(c, err, "the image could not be looked at");
        return;
    }
    (void)snprintf(what, sizeof(what), "image %.200s could not be pulled", c->image);
    fail(c, err, p, what);
}

static void pull(struct container *c)
{
    const struct docker_pull_opts opts = {
        .ref = c->image,
        .platform = c->platform,
        .auth = c->auth,
        .idle_timeout_ms = c->d->opts.pull_idle_timeout_ms,
        .on_progress = on_progress,
    };
    char line[320];
    (void)snprintf(line, sizeof(line), "tailgate: pulling %.250s", c->image);
    c->on_line(c->user, line);
    c->phase = CONTAINER_PULLING;
    int err = docker_pull(c->d->api, &opts, on_pulled, c);
    if (err)
        fail_now(c, err, "the image could not be pulled");
}

/* The container runs as root, whose runner becomes the image's user for the command. */
static int note_user(struct container *c, const json_t *image)
{
    const json_t *config = json_object_get(image, "Config");
    const char *user = json_string_value(json_object_get(config, "User"));
    char text[512];
    if (str_is_empty(user))
        return 0;
    if (snprintf(text, sizeof(text), DOCKER_USER_VARIABLE "=%s", user) >= (int)sizeof(text))
        return ERR_TOO_LARGE;
    return json_object_set_new(c->config, "Env", json_pack("[s]", text)) ? ERR_NOMEM : 0;
}

static void on_image(void *user, int err, const struct problem *p, const json_t *json)
{
    struct container *c = user;
    bool may_pull = c->d->opts.pull != DOCKER_PULL_NEVER && c->phase == CONTAINER_LOOKING;
    if (err == ERR_NOT_FOUND && may_pull) {
        pull(c);
    } else if (err) {
        fail(c, err, p, "the image is not to be had");
    } else {
        err = note_user(c, json);
        if (err)
            fail_now(c, err, "the image's user");
        else
            create(c);
    }
}

static int inspect_image(struct container *c)
{
    return docker_image_inspect(c->d->api, c->image, on_image, c);
}

static void look_for_image(struct container *c)
{
    if (c->d->opts.pull == DOCKER_PULL_ALWAYS) {
        pull(c);
        return;
    }
    int err = inspect_image(c);
    if (err)
        fail_now(c, err, "the image could not be looked for");
}

/* ---- beginning and giving up ---- */

static void on_timer(void *user)
{
    struct container *c = user;
    if (c->phase == CONTAINER_LOOKING)
        look_for_image(c);
    else if (c->phase == CONTAINER_STOPPED)
        fail_now(c, ERR_CLOSED, STOPPED);
    else
        wait_for_end(c);
}

int docker_start_begin(struct container *c)
{
    int err = loop_timer_new(c->d->loop, on_timer, c, &c->timer);
    if (!err)
        loop_timer_start(c->timer, 0, 0);
    return err;
}

bool docker_start_stop(struct container *c)
{
    if (c->phase == CONTAINER_CREATING) {
        c->is_stopping = true; /* what is being created has to be known, to be removed */
        return true;
    }
    if (c->phase > CONTAINER_CREATING)
        return c->phase == CONTAINER_STOPPED;
    docker_forget(c->d->api, c);
    c->phase = CONTAINER_STOPPED;
    loop_timer_start(c->timer, 0, 0);
    return true;
}
