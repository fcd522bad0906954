/*
 * From a request to a committed row (orchestrator_run). Each step's answer begins the next; whoever
 * is asked (images, secrets, a statement) answers once, also when the orchestrator ends first.
 *
 *   [earlier request with this key? ─▶ its execution, or 409] ─▶ image ─▶ [secrets] ─▶ row
 *            ▲                                                                          │
 *            └────────────── the key was taken in between ──────────────────────────────┤
 *                                                       refused: 429 ◀──────────────────┤
 *                                         PENDING: the queue's ◀── STARTING: launched ◀─┘
 */
#include "orchestrator/run.h"

#include "base/clock.h"
#include "base/str.h"
#include "db/store_runs.h"
#include "logs/redact.h"
#include "orchestrator/idempotency.h"
#include "orchestrator/images.h"
#include "orchestrator/live.h"
#include "orchestrator/plan.h"
#include "orchestrator/policy.h"
#include "orchestrator/queue.h"
#include "orchestrator/redactor_job.h"
#include "orchestrator/registries.h"
#include "orchestrator/request.h"
#include "orchestrator/seal.h"
#include "orchestrator/secrets.h"

#include <sodium.h>
#include <string.h>

/* Each loses to another request with the key, which then is found unless that was undone, or to the
 * replacement of the key that it was sealed with. */
#define TRIES 3

struct run {
    struct op op;
    struct orchestrator *o;
    orchestrator_run_fn fn;
    void *user;
    struct principal who;
    char *address, *request_id, *command, *image, *image_id, *key;
    char **secrets; /* names, NULL-ended */
    size_t secrets_count;
    struct request_limits limits;
    bool tty;
    struct plan plan, own; /* the whole; what the request itself says */
    struct store_idempotency idempotency;
    bool is_redactable; /* its secrets are known not to be too large */
    unsigned tries;
    uint64_t random;
    int64_t asked_us;
};

static void run_free(struct run *run)
{
    plan_done(&run->plan);
    plan_done(&run->own);
    strings_free(run->secrets);
    free(run->address);
    free(run->request_id);
    free(run->command);
    free(run->image);
    free(run->image_id);
    free(run->key);
    free(run);
}

static struct caller caller_of(const struct run *run)
{
    return (struct caller){&run->who, run->address, run->request_id};
}

/* The end in every case but a launch. */
static void fail(struct run *run, const struct problem *p)
{
    run->fn(run->user, p, NULL, false);
    run_free(run);
}

static void fail_store(struct run *run, int err)
{
    struct problem p;
    (void)problem_store(&p, err, RUN_ERROR);
    fail(run, &p);
}

static void cancelled(struct op *op, const struct problem *p)
{
    struct run *run = CONTAINER_OF(op, struct run, op);
    run->fn(run->user, p, NULL, false);
}

/* ---- the row ---- */

static bool has_room(const struct orchestrator *o)
{
    return orchestrator_live_count(o) + o->creating < o->opts.max_live;
}

static int refuse_room(const struct orchestrator *o, struct problem *p)
{
    return problem_set(p, ERR_LIMIT, RUN_ERROR,
                       "%zu executions are live, as many as this server takes; try again later",
                       orchestrator_live_count(o) + o->creating);
}

static void refuse(struct run *run, enum store_refusal refusal)
{
    const struct orchestrator_opts *opts = &run->o->opts;
    struct problem p;
    if (refusal == STORE_REFUSED_IMAGE)
        (void)problem_set(&p, ERR_NOT_FOUND, "failed to resolve image",
                          "image \"%s\" was removed meanwhile", run->image_id);
    else if (refusal == STORE_REFUSED_QUEUE)
        (void)problem_set(&p, ERR_LIMIT, RUN_ERROR,
                          "%lld executions are waiting already, as many as may; try again later",
                          (long long)opts->queue_max);
    else if (refusal == STORE_REFUSED_RUNNING)
        (void)problem_set(&p, ERR_LIMIT, RUN_ERROR,
                          "%lld executions are running, as many as may; try again later",
                          (long long)opts->max_running);
    else
        (void)problem_set(&p, ERR_LIMIT, RUN_ERROR,
                          "%lld of your executions are running, as many as a user may have; try "
                          "again later",
                          (long long)opts->max_running_per_user);
    fail(run, &p);
}

static int ask_earlier(struct run *run);
static void create(struct run *run);

static void begin(struct run *run, const struct execution *row)
{
    struct orchestrator *o = run->o;
    struct live *l;
    if (row->state.status == EXEC_PENDING) {
        run->fn(run->user, NULL, row, false);
        queue_look(o);
    } else if (live_new(o, row, &l) < 0) {
        doubt_note(o, run->who.email, run->random, run->asked_us);
        fail_store(run, ERR_NOMEM);
        return;
    } else {
        run->fn(run->user, NULL, &l->row, false);
        live_launch(l, &run->plan);
    }
    run_free(run);
}

static void created(void *user, int err, const struct execution *row, enum store_refusal refusal)
{
    struct run *run = user;
    struct orchestrator *o = run->op.o;
    if (!op_end(&run->op)) {
        run_free(run);
        return;
    }
    o->creating--;
    if (err == 0 && row) {
        begin(run, row);
    } else if (err == 0) {
        refuse(run, refusal);
    } else if (err == ERR_CONFLICT && run->key && ++run->tries < TRIES) {
        err = ask_earlier(run);
        if (err < 0)
            fail_store(run, err);
    } else if (err == ERR_STALE && ++run->tries < TRIES) {
        create(run);
    } else {
        /* The row may be there: nobody would ever start or end it. */
        if (err != ERR_DB && err != ERR_CONFLICT && err != ERR_STALE && err != ERR_CLOSED)
            doubt_note(o, run->who.email, run->random, run->asked_us);
        fail_store(run, err);
    }
}

static int submit(struct run *run, const struct buf *sealed, const char *key_id)
{
    struct orchestrator *o = run->o;
    const struct store_new_execution row = {
        .by = caller_of(run),
        .command = run->command,
        .image_id = run->image_id,
        .is_registered_image = run->plan.image != NULL,
        .owner = o->gateway_id,
        .random = run->random,
        .timeout_s = run->limits.timeout_s,
        .grace_s = run->limits.grace_s,
        .tty = run->tty,
        .seal_key_id = key_id,
        .sealed = sealed->data,
        .sealed_len = sealed->len,
        .idempotency = run->idempotency,
        .limits = {o->opts.max_running, o->opts.max_running_per_user},
        .queue_max = o->opts.queue_max,
        .has_no_room = !has_room(o),
    };
    return store_execution_create(o->pool, &row, created, run);
}

static int seal_and_submit(struct run *run)
{
    char key_id[SEAL_KEY_ID_SIZE];
    struct buf sealed CLEANUP_BUF = {.max = PLAN_BYTES_MAX + SEAL_OVERHEAD};
    bool is_empty = plan_is_empty(&run->plan);
    int err = is_empty ? 0 : plan_seal(run->o, &run->plan, run->random, &sealed, key_id);
    return err < 0 ? err : submit(run, &sealed, is_empty ? NULL : key_id);
}

/* The request's own variables beat the secrets'. */
static int complete_plan(struct run *run)
{
    const struct plan *own = &run->own;
    int err = str_set(&run->plan.git_repo, own->git_repo);
    if (err == 0)
        err = str_set(&run->plan.git_ref, own->git_ref);
    if (err == 0)
        err = str_set(&run->plan.git_path, own->git_path);
    for (size_t i = 0; err == 0 && i < run->own.var_count; i++) {
        char *text = run->own.vars[i].text;
        char *equals = strchr(text, '=');
        *equals = '\0';
        err = plan_set(&run->plan, text, equals + 1, false);
        *equals = '=';
    }
    return err;
}

static void on_redactable(void *user, int err, struct redactor *r)
{
    struct run *run = user;
    struct problem p;
    redactor_free(r);
    if (!op_end(&run->op)) {
        run_free(run);
    } else if (err == 0) {
        run->is_redactable = true;
        create(run);
    } else if (err == ERR_LIMIT) {
        (void)problem_set(&p, ERR_INVALID, RUN_ERROR,
                          "the secrets of this run are too large to be kept out of its log");
        fail(run, &p);
    } else {
        fail_store(run, err);
    }
}

static void create(struct run *run)
{
    struct orchestrator *o = run->o;
    struct problem p;
    if (problem_unless_started(o, &p, RUN_ERROR) < 0 ||
        (o->opts.queue_max == 0 && !has_room(o) && refuse_room(o, &p) < 0)) {
        fail(run, &p);
        return;
    }
    int err = complete_plan(run);
    bool is_known = run->is_redactable || !plan_is_large(&run->plan);
    if (err == 0)
        err = is_known ? seal_and_submit(run)
                       : redactor_job_start(o->loop, &run->plan, on_redactable, run, NULL);
    if (err < 0) {
        fail_store(run, err);
        return;
    }
    if (is_known)
        o->creating++;
    op_begin(o, &run->op, cancelled);
}

/* ---- image and secrets ---- */

static void on_secrets(void *user, const struct problem *p, const struct secret_value *values,
                       size_t n)
{
    struct run *run = user;
    int err = 0;
    if (p) {
        fail(run, p);
        return;
    }
    for (size_t i = 0; err == 0 && i < n; i++)
        err = plan_set(&run->plan, values[i].key_name, values[i].value, true);
    if (err < 0)
        fail_store(run, err);
    else
        create(run);
}

static void ask_secrets(struct run *run)
{
    const struct caller by = caller_of(run);
    struct problem p;
    if (run->secrets_count == 0)
        create(run);
    else if (orchestrator_secrets_resolve(run->o, &by, (const char *const *)run->secrets,
                                          run->secrets_count, on_secrets, run, &p) < 0)
        fail(run, &p);
}

static void on_registry(void *user, const struct problem *p, const char *auth)
{
    struct run *run = user;
    if (p)
        fail(run, p);
    else if (str_set(&run->plan.registry_auth, auth) < 0)
        fail_store(run, ERR_NOMEM);
    else
        ask_secrets(run);
}

static void ask_registry(struct run *run)
{
    struct problem p;
    if (!run->plan.image || !registries_is_secret(run->o, run->plan.image))
        ask_secrets(run);
    else if (registries_ask(run->o, run->plan.image, on_registry, run, &p) < 0)
        fail(run, &p);
}

static void on_image(void *user, const struct problem *p, const struct image *image)
{
    struct run *run = user;
    if (p) {
        fail(run, p);
        return;
    }
    run->plan.cpu = image->cpu;
    run->plan.memory = image->memory;
    bool is_engines = str_eq(image->image_id, run->o->engine->ops->image);
    const char *platform = str_is_empty(image->runtime_platform) ? NULL : image->runtime_platform;
    if (str_set(&run->image_id, image->image_id) < 0 ||
        (!is_engines && (str_set(&run->plan.image, image->image) < 0 ||
                         str_set(&run->plan.platform, platform) < 0)))
        fail_store(run, ERR_NOMEM);
    else
        ask_registry(run);
}

static int ask_image(struct run *run, struct problem *p)
{
    return images_resolve(run->o, &run->who, run->image, on_image, run, p);
}

/* ---- an earlier request with the same key ---- */

static void on_earlier(void *user, int err, const struct execution *row, bool is_same)
{
    struct run *run = user;
    struct problem p;
    if (!op_end(&run->op)) {
        run_free(run);
        return;
    }
    if (err == ERR_NOT_FOUND) {
        if (ask_image(run, &p) < 0)
            fail(run, &p);
    } else if (err < 0) {
        fail_store(run, err);
    } else if (!is_same) {
        (void)problem_set(&p, ERR_CONFLICT, RUN_ERROR,
                          "the idempotency key was used for another request");
        fail(run, &p);
    } else {
        run->fn(run->user, NULL, row, true);
        run_free(run);
    }
}

static int ask_earlier(struct run *run)
{
    struct orchestrator *o = run->o;
    plan_done(&run->plan); /* a later try resolves all again */
    int err =
        store_execution_earlier(o->pool, run->who.user_key, &run->idempotency, on_earlier, run);
    if (err == 0)
        op_begin(o, &run->op, cancelled);
    return err;
}

/* ---- the request ---- */

static int copy_secrets(struct run *run, const struct run_request *r)
{
    run->secrets = calloc(r->secrets_count + 1, sizeof *run->secrets);
    for (size_t i = 0; run->secrets && i < r->secrets_count; i++) {
        if (str_set(&run->secrets[i], r->secrets[i]) < 0)
            return ERR_NOMEM;
    }
    run->secrets_count = r->secrets_count;
    return run->secrets ? 0 : ERR_NOMEM;
}

static int copy_git(struct plan *plan, const struct run_request *r)
{
    if (str_is_empty(r->git_repo))
        return 0;
    int err = str_set(&plan->git_repo, r->git_repo);
    if (err == 0 && !str_is_empty(r->git_ref))
        err = str_set(&plan->git_ref, r->git_ref);
    if (err == 0 && !str_is_empty(r->git_path))
        err = str_set(&plan->git_path, r->git_path);
    return err;
}

static int copy_request(struct run *run, const struct caller *by, const struct run_request *r)
{
    run->who = *by->who;
    run->tty = r->tty;
    int err = copy_secrets(run, r);
    if (err == 0)
        err = str_set(&run->address, by->address ? by->address : "");
    if (err == 0)
        err = str_set(&run->request_id, by->request_id ? by->request_id : "");
    if (err == 0)
        err = str_set(&run->command, r->command);
    if (err == 0)
        err = str_set(&run->image, r->image);
    if (err == 0)
        err = str_set(&run->key, r->idempotency_key);
    for (size_t i = 0; err == 0 && i < r->env_count; i++)
        err = plan_set(&run->own, r->env[i].name, r->env[i].value, false);
    return err < 0 ? err : copy_git(&run->own, r);
}

static int run_new(struct orchestrator *o, const struct caller *by, const struct run_request *r,
                   struct run **ret)
{
    struct run *run = calloc(1, sizeof *run);
    if (!run)
        return ERR_NOMEM;
    run->o = o;
    int err = copy_request(run, by, r);
    if (err == 0 && run->key)
        err = idempotency_hash(r, run->idempotency.body_hash);
    if (err < 0) {
        run_free(run);
        return err;
    }
    run->idempotency.key = run->key;
    run->idempotency.retention_ms = o->opts.idempotency_ttl_ms;
    run->asked_us = clock_wall_us();
    randombytes_buf(&run->random, sizeof run->random);
    *ret = run;
    return 0;
}

int orchestrator_run(struct orchestrator *o, const struct caller *by, const struct run_request *r,
                     orchestrator_run_fn fn, void *user, struct problem *p)
{
    struct request_limits limits;
    struct run *run;
    if (!policy_allows(by->who, POLICY_RUN, NULL))
        return policy_refuse(p, POLICY_RUN);
    int err = request_check(o, r, &limits, p);
    if (err == 0)
        err = problem_unless_started(o, p, RUN_ERROR);
    if (err == 0 && o->opts.queue_max == 0 && !r->idempotency_key && !has_room(o))
        err = refuse_room(o, p);
    if (err < 0)
        return err;
    err = run_new(o, by, r, &run);
    if (err < 0)
        return problem_store(p, err, RUN_ERROR);
    run->limits = limits;
    run->fn = fn;
    run->user = user;
    if (run->key) {
        err = ask_earlier(run);
        err = err < 0 ? problem_store(p, err, RUN_ERROR) : 0;
    } else {
        err = ask_image(run, p);
    }
    if (err < 0)
        run_free(run);
    return err;
}
