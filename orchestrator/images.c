/*
 * Images for a person: who may, then PostgreSQL, then the answer. Each question is an op that the
 * orchestrator's end cancels.
 */
#include "orchestrator/images_internal.h"

#include "base/fields.h"
#include "base/str.h"
#include "orchestrator/policy.h"

#include <string.h>

#define ERROR_RESOLVE "failed to resolve image"
#define ERROR_GET "failed to get image"
#define ERROR_LIST "failed to list images"

const char *image_of_engine(const struct orchestrator *o)
{
    return o->engine->ops->image;
}

static struct image describe_own(const struct orchestrator *o, bool is_default)
{
    return (struct image){.image_id = image_of_engine(o),
                          .image = image_of_engine(o),
                          .registry = "",
                          .name = image_of_engine(o),
                          .tag = "",
                          .digest = "",
                          .task_role_name = "",
                          .task_execution_role_name = "",
                          .runtime_platform = "",
                          .is_default = is_default,
                          .created_by = "",
                          .created_by_request_id = "",
                          .modified_by_request_id = ""};
}

struct image_question *image_question_new(const char *failed, images_image_fn fn, void *user)
{
    struct image_question *q = calloc(1, sizeof *q);
    if (q) {
        q->failed = failed;
        q->fn = fn;
        q->user = user;
    }
    return q;
}

void image_question_free(struct image_question *q)
{
    loop_defer_free(q->own);
    free(q);
}

void image_question_answer(struct image_question *q, const struct problem *p,
                           const struct image *images, size_t n)
{
    if (q->list_fn)
        q->list_fn(q->user, p, images, n);
    else
        q->fn(q->user, p, images);
}

void image_question_cancelled(struct op *op, const struct problem *p)
{
    struct image_question *q = CONTAINER_OF(op, struct image_question, op);
    image_question_answer(q, p, NULL, 0);
    if (q->own) /* nobody else will come back to it */
        image_question_free(q);
}

/* Sends q off, or frees it and fills *p when the store did not take it. */
int image_question_begin(struct orchestrator *o, struct image_question *q, int err,
                         struct problem *p)
{
    if (err < 0) {
        const char *failed = q->failed;
        image_question_free(q);
        return problem_store(p, err, failed);
    }
    op_begin(o, &q->op, image_question_cancelled);
    return 0;
}

/* ---- one image ---- */

int image_problem_not_found(const struct image_question *q, struct problem *p)
{
    if (q->by_default)
        return problem_set(p, ERR_NOT_FOUND, q->failed,
                           "no image was named and no default image is registered");
    return problem_set(p, ERR_NOT_FOUND, q->failed, "image \"%s\" is not registered", q->text);
}

void image_question_found(void *user, int err, const struct image *rows, size_t n)
{
    struct image_question *q = user;
    struct orchestrator *o = q->op.o;
    struct problem p;
    if (op_end(&q->op)) {
        int r = 0;
        if (err < 0)
            r = problem_store(&p, err, q->failed);
        else if (n == 0)
            r = image_problem_not_found(q, &p);
        else if (q->runs && image_of_engine(o))
            r = problem_set(&p, ERR_INVALID, q->failed,
                            "image \"%s\" needs an engine that runs containers; this gateway's "
                            "engine \"%s\" runs \"%s\" only",
                            rows[0].image_id, o->engine->ops->name, image_of_engine(o));
        image_question_answer(q, r < 0 ? &p : NULL, r < 0 ? NULL : rows, 1);
    }
    image_question_free(q);
}

static void answer_own(void *user)
{
    struct image_question *q = user;
    struct orchestrator *o = q->op.o;
    if (op_end(&q->op)) {
        const struct image own = describe_own(o, true);
        image_question_answer(q, NULL, &own, 1);
    }
    image_question_free(q);
}

/* The engine's own image is the default while no registered one is. */
static void answer_own_shown(void *user, int err, const struct image *rows UNUSED, size_t n)
{
    struct image_question *q = user;
    struct orchestrator *o = q->op.o;
    struct problem p;
    if (op_end(&q->op)) {
        const struct image own = describe_own(o, n == 0);
        if (err < 0)
            (void)problem_store(&p, err, q->failed);
        image_question_answer(q, err < 0 ? &p : NULL, err < 0 ? NULL : &own, 1);
    }
    image_question_free(q);
}

/* By id, reference or name; what is no reference can only be an id. */
int image_question_find(struct orchestrator *o, struct image_question *q, const char *text,
                        store_images_fn fn)
{
    struct images_name n = {0};
    if (str_copy(q->text, sizeof q->text, text) < 0)
        return ERR_TOO_LARGE;
    (void)!images_parse(text, &n);
    const struct store_image_query query = {text, n.registry, n.name, n.tag, n.digest};
    return store_image_find(o->pool, &query, fn, q);
}

int image_check_reference(const char *ref, const char *failed, struct problem *p)
{
    size_t len = strnlen(ref, IMAGE_REF_MAX + 1);
    if (len > IMAGE_REF_MAX)
        return problem_set(p, ERR_INVALID, failed, "image must be at most %d bytes", IMAGE_REF_MAX);
    return field_check(FIELD_IMAGE, failed, ref, p);
}

static int resolve_own(struct orchestrator *o, struct image_question *q)
{
    int r = loop_defer_new(o->loop, answer_own, q, &q->own);
    if (r == 0)
        loop_defer_schedule(q->own);
    return r;
}

int images_resolve(struct orchestrator *o, const struct principal *who, const char *ref,
                   images_image_fn fn, void *user, struct problem *p)
{
    if (!policy_allows(who, POLICY_IMAGE_USE, NULL))
        return problem_set(p, ERR_FORBIDDEN, "forbidden",
                           "you do not have permission to use image \"%.256s\"",
                           str_is_empty(ref) ? "default" : ref);
    bool is_own = image_of_engine(o) && (str_is_empty(ref) || str_eq(ref, image_of_engine(o)));
    if (!is_own && !str_is_empty(ref) && image_check_reference(ref, ERROR_RESOLVE, p) < 0)
        return p->err;
    struct image_question *q = image_question_new(ERROR_RESOLVE, fn, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_RESOLVE);
    q->runs = true;
    q->by_default = str_is_empty(ref);
    if (is_own)
        return image_question_begin(o, q, resolve_own(o, q), p);
    int r = q->by_default ? store_image_default(o->pool, image_question_found, q)
                          : image_question_find(o, q, ref, image_question_found);
    return image_question_begin(o, q, r, p);
}

int images_get(struct orchestrator *o, const struct principal *who, const char *ref,
               images_image_fn fn, void *user, struct problem *p)
{
    if (!policy_allows(who, POLICY_IMAGE_READ, NULL))
        return policy_refuse(p, POLICY_IMAGE_READ);
    if (image_check_reference(ref, ERROR_GET, p) < 0)
        return p->err;
    struct image_question *q = image_question_new(ERROR_GET, fn, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_GET);
    bool is_own = image_of_engine(o) && str_eq(ref, image_of_engine(o));
    int r = is_own ? store_image_default(o->pool, answer_own_shown, q)
                   : image_question_find(o, q, ref, image_question_found);
    return image_question_begin(o, q, r, p);
}

/* ---- the list ---- */

static void listed(void *user, int err, const struct image *rows, size_t n)
{
    struct image_question *q = user;
    struct orchestrator *o = q->op.o;
    struct problem p;
    if (op_end(&q->op)) {
        struct image *all = calloc(n + 1, sizeof *all);
        size_t count = 0;
        bool has_default = false;
        if (err == 0 && !all)
            err = ERR_NOMEM;
        for (size_t i = 0; i < n; i++)
            has_default = has_default || rows[i].is_default;
        if (all && image_of_engine(o))
            all[count++] = describe_own(o, !has_default);
        for (size_t i = 0; all && i < n; i++)
            all[count++] = rows[i];
        if (err < 0)
            (void)problem_store(&p, err, q->failed);
        image_question_answer(q, err < 0 ? &p : NULL, err < 0 ? NULL : all, err < 0 ? 0 : count);
        free(all);
    }
    image_question_free(q);
}

int images_list(struct orchestrator *o, const struct principal *who, images_list_fn fn, void *user,
                struct problem *p)
{
    if (!policy_allows(who, POLICY_IMAGE_READ, NULL))
        return policy_refuse(p, POLICY_IMAGE_READ);
    struct image_question *q = image_question_new(ERROR_LIST, NULL, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_LIST);
    q->list_fn = fn;
    return image_question_begin(o, q, store_image_list(o->pool, listed, q), p);
}
