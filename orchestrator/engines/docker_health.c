/* What a reconcile asks the daemon. One record a question under way. */
#include "orchestrator/engines/docker_internal.h"

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

#define LABEL_MAX 256

struct question {
    struct list node;
    struct docker *d;
    union {
        engine_fn done;
        engine_list_fn list;
    } fn;
    void *user;
    char *image, *auth;
};

static void question_free(struct question *q)
{
    list_remove(&q->node);
    docker_forget(q->d->api, q);
    free(q->image);
    docker_auth_free(q->auth);
    free(q);
}

static struct question *question_new(struct engine *engine, void *user)
{
    struct question *q = calloc(1, sizeof(*q));
    if (!q)
        return NULL;
    q->d = CONTAINER_OF(engine, struct docker, base);
    q->user = user;
    list_append(&q->d->questions, &q->node);
    return q;
}

static int asked(struct question *q, int err)
{
    if (err)
        question_free(q);
    return err;
}

static void answer(struct question *q, int err, const struct problem *p)
{
    engine_fn fn = q->fn.done;
    void *user = q->user;
    question_free(q);
    fn(user, err, p);
}

static void on_done(void *user, int err, const struct problem *p, const json_t *json UNUSED)
{
    answer(user, err, p);
}

int docker_check(struct engine *engine, engine_fn fn, void *user)
{
    struct question *q = question_new(engine, user);
    if (!q)
        return ERR_NOMEM;
    q->fn.done = fn;
    return asked(q, docker_info(q->d->api, on_done, q));
}

/* ---- containers ---- */

static void on_list(void *user, int err, const struct problem *p, const json_t *json)
{
    struct question *q = user;
    size_t n = err ? 0 : json_array_size(json), count = 0, i;
    const json_t *one;
    const char **ids = calloc(n + 1, sizeof(*ids));
    struct problem failed;
    if (!err && !ids) {
        err = problem_set(&failed, ERR_NOMEM, "cannot list containers", "out of memory");
        p = &failed;
    }
    json_array_foreach (json, i, one) {
        const char *id = json_string_value(
            json_object_get(json_object_get(one, "Labels"), DOCKER_LABEL_EXECUTION));
        if (ids && !err && id && count < n)
            ids[count++] = id;
    }
    engine_list_fn fn = q->fn.list;
    void *asker = q->user;
    question_free(q);
    fn(asker, err, p, ids, count);
    free(ids);
}

int docker_list_runs(struct engine *engine, engine_list_fn fn, void *user)
{
    struct question *q = question_new(engine, user);
    char label[LABEL_MAX];
    if (!q)
        return ERR_NOMEM;
    q->fn.list = fn;
    (void)snprintf(label, sizeof(label), "%s=%s", DOCKER_LABEL_GATEWAY, q->d->gateway_id);
    return asked(q, docker_list(q->d->api, label, on_list, q));
}

/* ---- images ---- */

static void on_registry(void *user, int err, const struct problem *p, const json_t *json UNUSED)
{
    struct problem absent;
    if (!err) {
        answer(user, 0, p);
        return;
    }
    err = problem_set(&absent, ERR_NOT_FOUND, "no image",
                      "it is not on the host, and its registry does not offer it: %s", p->details);
    answer(user, err, &absent);
}

static void on_image(void *user, int err, const struct problem *p, const json_t *json UNUSED)
{
    struct question *q = user;
    struct problem absent;
    if (err == ERR_NOT_FOUND && q->d->opts.pull != DOCKER_PULL_NEVER) {
        err = docker_distribution(q->d->api, q->image, q->auth, on_registry, q);
        if (!err)
            return;
    } else if (err == ERR_NOT_FOUND) {
        err = problem_set(&absent, err, "no image",
                          "it is not on the host, and --pull never forbids to pull it");
        p = &absent;
    }
    answer(q, err, p);
}

int docker_has_image(struct engine *engine, const char *ref, const char *auth, engine_fn fn,
                     void *user)
{
    struct question *q = question_new(engine, user);
    if (!q)
        return ERR_NOMEM;
    q->fn.done = fn;
    int err = str_set(&q->image, ref);
    if (!err)
        err = str_set(&q->auth, auth);
    return asked(q, err ? err : docker_image_inspect(q->d->api, ref, on_image, q));
}

void docker_questions_forget(struct docker *d, const void *user)
{
    LIST_FOREACH_SAFE (it, &d->questions) {
        struct question *q = LIST_ENTRY(it, struct question, node);
        if (q->user == user)
            question_free(q);
    }
}

void docker_questions_free(struct docker *d)
{
    LIST_FOREACH_SAFE (it, &d->questions)
        question_free(LIST_ENTRY(it, struct question, node));
}
