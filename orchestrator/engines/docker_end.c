/*
 * The end of a container: what the daemon knows of it, asked until it runs no more, and its
 * removal, asked for until nothing of that name is left. One record a question under way.
 */
#include "orchestrator/engines/docker_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

#include <stdio.h>

/* How long a daemon that is away, or a container that still runs, is waited for. */
#define EXPLAIN_PATIENCE_MS 15000
#define EXPLAIN_AGAIN_MS 200

struct ending {
    struct list node;
    struct docker *d;
    char name[DOCKER_NAME_SIZE];
    bool is_removal, is_removed;
    bool is_asked; /* a call is in flight */
    int64_t next_ms, give_up_ms;
    struct loop_timer *timer;
    engine_verdict_fn fn;
    void *user;
};

static void ending_free(struct ending *e)
{
    list_remove(&e->node);
    docker_forget(e->d->api, e);
    loop_timer_free(e->timer);
    free(e);
}

static struct ending *ending_new(struct docker *d, const char *run_dir)
{
    struct ending *e = calloc(1, sizeof(*e));
    if (!e)
        return NULL;
    e->d = d;
    docker_container_name(run_dir, e->name);
    list_append(&d->endings, &e->node);
    return e;
}

/* ---- why ---- */

static void answer(struct ending *e, const char *reason, const char *line)
{
    engine_verdict_fn fn = e->fn;
    void *user = e->user;
    ending_free(e);
    fn(user, reason, line);
}

static void tell_of_end(struct ending *e, const json_t *container)
{
    const json_t *state = json_object_get(container, "State");
    const json_t *host = json_object_get(container, "HostConfig");
    const char *error = json_string_value(json_object_get(state, "Error"));
    long long memory = json_integer_value(json_object_get(host, "Memory"));
    char line[640];
    if (json_is_true(json_object_get(state, "OOMKilled"))) {
        (void)snprintf(line, sizeof(line), "tailgate: out of memory: the limit is %lld MiB",
                       memory >> 20);
        answer(e, "out_of_memory", line);
        return;
    }
    (void)snprintf(line, sizeof(line), "tailgate: the container has ended with status %lld%s%s",
                   (long long)json_integer_value(json_object_get(state, "ExitCode")),
                   str_is_empty(error) ? "" : ": ", error ? error : "");
    answer(e, "container_lost", line);
}

static void on_inspected(void *user, int err, const struct problem *p, const json_t *json)
{
    struct ending *e = user;
    const json_t *state = json_object_get(json, "State");
    bool runs = json_is_true(json_object_get(state, "Running"));
    char line[640];
    if (err == ERR_NOT_FOUND) {
        answer(e, "container_lost", "tailgate: the container was removed");
    } else if (!err && !runs) {
        tell_of_end(e, json);
    } else if (clock_mono_ms() < e->give_up_ms) {
        loop_timer_start(e->timer, EXPLAIN_AGAIN_MS, 0);
    } else {
        (void)snprintf(line, sizeof(line), "tailgate: the engine does not tell how it ended: %s",
                       err ? p->details : "the container still runs");
        answer(e, "container_lost", line);
    }
}

static void ask(void *user)
{
    struct ending *e = user;
    if (docker_inspect(e->d->api, e->name, on_inspected, e))
        loop_timer_start(e->timer, EXPLAIN_AGAIN_MS, 0);
}

int docker_explain(struct engine *engine, const char *run_dir, engine_verdict_fn fn, void *user)
{
    struct docker *d = CONTAINER_OF(engine, struct docker, base);
    struct ending *e = ending_new(d, run_dir);
    if (!e)
        return ERR_NOMEM;
    int err = loop_timer_new(d->loop, ask, e, &e->timer);
    if (err) {
        ending_free(e);
        return err;
    }
    e->fn = fn;
    e->user = user;
    e->give_up_ms = clock_mono_ms() + EXPLAIN_PATIENCE_MS;
    loop_timer_start(e->timer, 0, 0);
    return 0;
}

void docker_endings_forget(struct docker *d, const void *user)
{
    LIST_FOREACH_SAFE (it, &d->endings) {
        struct ending *e = LIST_ENTRY(it, struct ending, node);
        if (!e->is_removal && e->user == user)
            ending_free(e);
    }
}

/* ---- removal ---- */

static void on_removed(void *user, int err, const struct problem *p, const json_t *json UNUSED)
{
    struct ending *e = user;
    e->is_asked = false;
    e->is_removed = !err || err == ERR_NOT_FOUND;
    if (e->is_removed)
        return;
    e->next_ms = clock_mono_ms() + DOCKER_RETRY_MS;
    log_warn("container is not removed yet", "container", e->name, "error", p->details);
}

static struct ending *removal_of(struct docker *d, const char *run_dir)
{
    char name[DOCKER_NAME_SIZE];
    docker_container_name(run_dir, name);
    LIST_FOREACH (it, &d->endings) {
        struct ending *e = LIST_ENTRY(it, struct ending, node);
        if (e->is_removal && str_eq(e->name, name))
            return e;
    }
    struct ending *e = ending_new(d, run_dir);
    if (e)
        e->is_removal = true;
    return e;
}

bool docker_clean(struct engine *engine, const char *run_dir)
{
    struct docker *d = CONTAINER_OF(engine, struct docker, base);
    struct ending *e = removal_of(d, run_dir);
    if (!e)
        return false;
    if (e->is_removed) {
        ending_free(e);
        return true;
    }
    if (!e->is_asked && clock_mono_ms() >= e->next_ms)
        e->is_asked = docker_remove(d->api, e->name, on_removed, e) == 0;
    return false;
}

void docker_endings_free(struct docker *d)
{
    LIST_FOREACH_SAFE (it, &d->endings)
        ending_free(LIST_ENTRY(it, struct ending, node));
}
