/*
 * Images registered and removed. A removal first looks whose the image is, then removes it, unless
 * something runs in it at that moment.
 */
#include "orchestrator/images_internal.h"

#include "base/fields.h"
#include "base/log.h"
#include "base/str.h"
#include "orchestrator/policy.h"

#include <ctype.h>
#include <string.h>

#define ERROR_REGISTER "failed to register image"
#define ERROR_REMOVE "failed to remove image"
#define CPU_MAX (1024 * 1024)         /* a thousand CPUs */
#define MEMORY_MAX (16 * 1024 * 1024) /* 16 TiB in MiB */

/* ---- registering ---- */

static int check_amount(const char *name, int64_t n, int64_t max, struct problem *p)
{
    if (n >= 0 && n <= max)
        return 0;
    return problem_set(p, ERR_INVALID, ERROR_REGISTER, "%s must be between 0 and %lld", name,
                       (long long)max);
}

static int check_new(const struct orchestrator *o, const struct images_new *n, struct problem *p)
{
    int r = field_check(FIELD_IMAGE, ERROR_REGISTER, n->image, p);
    if (r == 0)
        r = field_check(FIELD_RUNTIME_PLATFORM, ERROR_REGISTER, n->runtime_platform, p);
    if (r == 0)
        r = field_check(FIELD_ROLE_NAME, ERROR_REGISTER, n->task_role_name, p);
    if (r == 0)
        r = field_check(FIELD_ROLE_NAME, ERROR_REGISTER, n->task_execution_role_name, p);
    if (r == 0)
        r = check_amount("cpu", n->cpu, CPU_MAX, p);
    if (r == 0)
        r = check_amount("memory", n->memory, MEMORY_MAX, p);
    if (r == 0 && image_of_engine(o) && str_eq(n->image, image_of_engine(o)))
        r = problem_set(p, ERR_CONFLICT, ERROR_REGISTER,
                        "\"%s\" is the image of this gateway's engine", image_of_engine(o));
    return r;
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static int store_new(struct orchestrator *o, const struct caller *by, const struct images_new *n,
                     const struct images_name *name, struct image_question *q)
{
    char id[IMAGE_ID_MAX + 1], resource[IMAGE_ID_MAX + 8] = "image/";
    struct image image = {
        .image_id = id,
        .image = n->image,
        .registry = name->registry[0] ? name->registry : IMAGE_DEFAULT_REGISTRY,
        .name = name->name,
        .tag = name->tag,
        .digest = name->digest,
        .task_role_name = or_empty(n->task_role_name),
        .task_execution_role_name = or_empty(n->task_execution_role_name),
        .runtime_platform = or_empty(n->runtime_platform),
        .cpu = n->cpu,
        .memory = n->memory,
        .is_default = n->is_default,
        .created_by = by->who->email,
        .created_by_request_id = or_empty(by->request_id),
    };
    images_make_id(&image, id);
    (void)!str_copy(resource + strlen(resource), sizeof resource - strlen(resource), id);
    const struct store_audit audit = {*by, "images.create", resource, "ok"};
    return store_image_register(o->pool, &image, &audit, image_question_found, q);
}

int images_register(struct orchestrator *o, const struct caller *by, const struct images_new *n,
                    images_image_fn fn, void *user, struct problem *p)
{
    struct images_name name;
    if (!policy_allows(by->who, POLICY_IMAGE_CREATE, NULL))
        return policy_refuse(p, POLICY_IMAGE_CREATE);
    if (check_new(o, n, p) < 0)
        return p->err;
    if (images_parse(n->image, &name) < 0)
        return problem_set(p, ERR_INVALID, ERROR_REGISTER, "image is no image reference");
    struct image_question *q = image_question_new(ERROR_REGISTER, fn, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_REGISTER);
    log_info("registering image", "image", n->image, "user", by->who->email);
    return image_question_begin(o, q, store_new(o, by, n, &name, q), p);
}

/* ---- removing ---- */

/* "…-" and 8 hex digits behind a tag: what only ids look like. */
static bool looks_like_id(const char *text)
{
    size_t len = strlen(text);
    if (len <= IMAGE_ID_HASH_LEN + 1 || !strchr(text, ':') ||
        text[len - IMAGE_ID_HASH_LEN - 1] != '-')
        return false;
    for (size_t i = len - IMAGE_ID_HASH_LEN; i < len; i++) {
        if (!isxdigit((unsigned char)text[i]) || isupper((unsigned char)text[i]))
            return false;
    }
    return true;
}

static int ask_for_id(struct problem *p, const char *known_id)
{
    return problem_set(p, ERR_INVALID, ERROR_REMOVE,
                       "images are removed by their exact image id%s%s%s; see the list of images",
                       known_id ? ", such as \"" : "", known_id ? known_id : "",
                       known_id ? "\"" : "");
}

static void removed(void *user, int err, const struct image *rows, size_t n)
{
    struct image_question *q = user;
    struct problem p;
    if (op_end(&q->op)) {
        int r = 0;
        if (err == ERR_NOT_FOUND)
            r = image_problem_not_found(q, &p);
        else if (err == ERR_CONFLICT)
            r = problem_set(&p, err, q->failed, "a running execution uses image \"%s\"", q->text);
        else if (err < 0)
            r = problem_store(&p, err, q->failed);
        image_question_answer(q, r < 0 ? &p : NULL, r < 0 ? NULL : rows, n);
    }
    image_question_free(q);
}

static int remove_row(struct orchestrator *o, struct image_question *q, const struct image *row,
                      struct problem *p)
{
    char resource[IMAGE_ID_MAX + 8] = "image/";
    if (!str_eq(row->image_id, q->text))
        return ask_for_id(p, row->image_id);
    if (!policy_allows(&q->who, POLICY_IMAGE_DELETE, row->created_by))
        return policy_refuse(p, POLICY_IMAGE_DELETE);
    (void)!str_copy(resource + strlen(resource), sizeof resource - strlen(resource), q->text);
    const struct store_audit audit = {
        {&q->who, q->address, q->request_id}, "images.delete", resource, "ok"};
    int r = store_image_remove(o->pool, q->text, &audit, removed, q);
    return r < 0 ? problem_store(p, r, ERROR_REMOVE) : 0;
}

static void found_to_remove(void *user, int err, const struct image *rows, size_t n)
{
    struct image_question *q = user;
    struct orchestrator *o = q->op.o;
    struct problem p;
    if (!op_end(&q->op)) {
        image_question_free(q);
        return;
    }
    int r;
    if (err < 0)
        r = problem_store(&p, err, q->failed);
    else if (n == 0)
        r = looks_like_id(q->text) ? image_problem_not_found(q, &p) : ask_for_id(&p, NULL);
    else
        r = remove_row(o, q, &rows[0], &p);
    if (r < 0) {
        image_question_answer(q, &p, NULL, 0);
        image_question_free(q);
        return;
    }
    op_begin(o, &q->op, image_question_cancelled);
}

int images_remove(struct orchestrator *o, const struct caller *by, const char *image_id,
                  images_image_fn fn, void *user, struct problem *p)
{
    if (!policy_may_try(by->who, POLICY_IMAGE_DELETE))
        return policy_refuse(p, POLICY_IMAGE_DELETE);
    if (image_of_engine(o) && str_eq(image_id, image_of_engine(o)))
        return problem_set(p, ERR_CONFLICT, ERROR_REMOVE,
                           "\"%s\" is the image of this gateway's engine", image_of_engine(o));
    if (image_check_reference(image_id, ERROR_REMOVE, p) < 0)
        return p->err;
    struct image_question *q = image_question_new(ERROR_REMOVE, fn, user);
    if (!q)
        return problem_store(p, ERR_NOMEM, ERROR_REMOVE);
    q->who = *by->who;
    (void)!str_copy(q->address, sizeof q->address, or_empty(by->address));
    (void)!str_copy(q->request_id, sizeof q->request_id, or_empty(by->request_id));
    return image_question_begin(o, q, image_question_find(o, q, image_id, found_to_remove), p);
}
