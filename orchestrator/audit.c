/*
 * Refusals on their way to PostgreSQL (audit.h), and the audit read. The queue is made by the first
 * refusal and lives as long as the orchestrator; a transaction that is under way then outlives it
 * by its answer.
 */
#include "orchestrator/audit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store_audit.h"
#include "orchestrator/internal.h"
#include "orchestrator/policy.h"

#include <string.h>

#define ERROR_LIST "failed to list audit entries"
#define RETRY_MS 5000
#define REQUEST_ID_SIZE 65
#define WORD_SIZE 48

/* A refusal, or several alike. */
struct refusal {
    struct list node;
    struct principal who; /* email "" = unknown */
    char address[64], request_id[REQUEST_ID_SIZE];
    char action[WORD_SIZE], resource[AUDIT_RESOURCE_MAX], result[WORD_SIZE];
    bool is_unknown;
    int64_t at_us;      /* of the first one that is not written */
    int64_t not_before; /* monotonic ms: when it may be written */
    int64_t count;      /* to be written */
    int64_t sending;    /* being written */
};

struct audit {
    struct op op;
    struct orchestrator *o;
    struct list refusals;
    size_t count, unknown;
    struct loop_timer *timer;
    bool is_sending, is_dead;
    loop_fn on_drained; /* NULL = nobody waits */
    void *drained_user;
};

static void refusal_free(struct audit *a, struct refusal *r)
{
    list_remove(&r->node);
    a->count--;
    a->unknown -= r->is_unknown;
    free(r);
}

void audit_free(struct audit *a)
{
    if (!a)
        return;
    LIST_FOREACH_SAFE (it, &a->refusals)
        free(LIST_ENTRY(it, struct refusal, node));
    list_init(&a->refusals);
    loop_timer_free(a->timer);
    a->timer = NULL;
    a->is_dead = true;
    if (!a->is_sending)
        free(a);
}

/* ---- writing ---- */

/* After an answer: what was written goes, what was not waits for the next turn. */
static void settle(struct audit *a, int err)
{
    int64_t now = clock_mono_ms();
    LIST_FOREACH_SAFE (it, &a->refusals) {
        struct refusal *r = LIST_ENTRY(it, struct refusal, node);
        if (r->sending > 0 && (err == ERR_DB || err == ERR_CONFLICT))
            a->o->audit_dropped += (uint64_t)r->sending;
        else if (r->sending > 0 && err < 0)
            r->count += r->sending;
        if (r->sending > 0 && r->is_unknown)
            r->not_before = now + AUDIT_UNKNOWN_MS;
        r->sending = 0;
        if (r->count == 0 && (!r->is_unknown || r->not_before <= now))
            refusal_free(a, r);
    }
    if (err < 0)
        log_warn("audit entries are not written", "error", err_name(err), "count",
                 LOG_NUM(a->count));
    if (a->count > 0)
        loop_timer_start(a->timer, err < 0 ? RETRY_MS : AUDIT_FLUSH_MS, 0);
}

static void written(void *user, int err, const struct db_result *result UNUSED)
{
    struct audit *a = user;
    a->is_sending = false;
    if (a->is_dead) {
        free(a);
        return;
    }
    (void)op_end(&a->op);
    settle(a, err);
    loop_fn fn = a->on_drained;
    a->on_drained = NULL;
    if (fn)
        fn(a->drained_user);
}

/* The rows that are due; they count as being sent. */
static size_t take_due(struct audit *a, struct store_audit_refusals *rows)
{
    int64_t now = clock_mono_ms();
    size_t n = 0;
    LIST_FOREACH (it, &a->refusals) {
        struct refusal *r = LIST_ENTRY(it, struct refusal, node);
        if (r->count == 0 || r->not_before > now)
            continue;
        rows[n++] = (struct store_audit_refusals){
            .entry = {{&r->who, r->address, r->request_id}, r->action, r->resource, r->result},
            .count = r->count,
            .at_us = r->at_us,
        };
        r->sending = r->count;
        r->count = 0;
    }
    return n;
}

static int send_due(struct audit *a)
{
    struct store_audit_refusals *rows = calloc(a->count + 1, sizeof *rows);
    size_t n = rows ? take_due(a, rows) : 0;
    if (!rows)
        return ERR_NOMEM;
    int e = n > 0 ? store_audit_write(a->o->pool, rows, n, written, a) : 0;
    free(rows);
    if (e < 0 || n == 0)
        return e;
    a->is_sending = true;
    op_begin(a->o, &a->op, NULL);
    return 0;
}

static void on_timer(void *user)
{
    struct audit *a = user;
    if (a->is_sending)
        return; /* its answer looks again */
    int e = send_due(a);
    if (e < 0 || !a->is_sending)
        settle(a, e);
}

void audit_flush(struct orchestrator *o)
{
    if (o->audit && o->audit->count > 0)
        on_timer(o->audit);
}

void audit_drain(struct orchestrator *o, loop_fn fn, void *user)
{
    audit_flush(o);
    if (!o->audit || !o->audit->is_sending) {
        fn(user);
        return;
    }
    o->audit->on_drained = fn;
    o->audit->drained_user = user;
}

/* ---- noting ---- */

static struct audit *audit_of(struct orchestrator *o)
{
    struct audit *a = o->audit ? NULL : calloc(1, sizeof *a);
    if (!a)
        return o->audit;
    a->o = o;
    list_init(&a->refusals);
    if (loop_timer_new(o->loop, on_timer, a, &a->timer) < 0) {
        free(a);
        return NULL;
    }
    o->audit = a;
    return a;
}

/* Whatever does not fit is cut: an entry is better short than missing. */
static void copy_cut(char *dst, size_t size, const char *src)
{
    size_t n = src ? strnlen(src, size - 1) : 0;
    if (n > 0 && src[n] != '\0')
        n = str_utf8_valid_prefix(src, n);
    if (n > 0)
        memcpy(dst, src, n);
    dst[n] = '\0';
}

static bool is_same(const struct refusal *a, const struct refusal *b)
{
    return a->who.key_id == b->who.key_id && a->is_unknown == b->is_unknown &&
           str_eq(a->result, b->result) && str_eq(a->action, b->action) &&
           str_eq(a->resource, b->resource) && str_eq(a->address, b->address) &&
           str_eq(a->who.email, b->who.email);
}

static struct refusal *find_same(struct audit *a, const struct refusal *wanted)
{
    LIST_FOREACH (it, &a->refusals) {
        struct refusal *r = LIST_ENTRY(it, struct refusal, node);
        if (is_same(r, wanted))
            return r;
    }
    return NULL;
}

static struct refusal *add_new(struct audit *a, const struct refusal *wanted)
{
    struct refusal *r = NULL;
    if (a->count < a->o->opts.audit_queue_max &&
        (!wanted->is_unknown || a->unknown < AUDIT_UNKNOWN_MAX))
        r = malloc(sizeof *r);
    if (!r)
        return NULL;
    *r = *wanted;
    list_append(&a->refusals, &r->node);
    a->count++;
    a->unknown += r->is_unknown;
    return r;
}

void audit_denied(struct orchestrator *o, const struct caller *by, const char *action,
                  const char *resource, const char *result, bool is_unknown)
{
    struct audit *a = audit_of(o);
    struct refusal wanted = {.is_unknown = is_unknown};
    if (!a)
        return;
    if (by->who)
        wanted.who = *by->who;
    copy_cut(wanted.address, sizeof wanted.address, by->address);
    copy_cut(wanted.action, sizeof wanted.action, action);
    copy_cut(wanted.resource, sizeof wanted.resource, resource);
    copy_cut(wanted.result, sizeof wanted.result, result);
    struct refusal *r = find_same(a, &wanted);
    if (!r)
        r = add_new(a, &wanted);
    if (!r) {
        a->o->audit_dropped++;
        return;
    }
    if (r->count == 0) {
        copy_cut(r->request_id, sizeof r->request_id, by->request_id);
        r->at_us = clock_wall_us();
    }
    r->count++;
    if (!a->is_sending && !loop_timer_is_active(a->timer))
        loop_timer_start(a->timer, AUDIT_FLUSH_MS, 0);
}

/* ---- reading ---- */

struct listing {
    struct op op;
    audit_list_fn fn;
    void *user;
};

static void list_cancelled(struct op *op, const struct problem *p)
{
    struct listing *l = CONTAINER_OF(op, struct listing, op);
    l->fn(l->user, p, NULL, 0);
}

static void listed(void *user, int err, const struct audit_entry *rows, size_t n)
{
    struct listing *l = user;
    struct problem p;
    if (op_end(&l->op)) {
        if (err < 0)
            (void)problem_store(&p, err, ERROR_LIST);
        l->fn(l->user, err < 0 ? &p : NULL, err < 0 ? NULL : rows, err < 0 ? 0 : n);
    }
    free(l);
}

int audit_list(struct orchestrator *o, const struct principal *who, const struct audit_filter *f,
               audit_list_fn fn, void *user, struct problem *p)
{
    if (!policy_allows(who, POLICY_AUDIT, NULL))
        return policy_refuse(p, POLICY_AUDIT);
    struct listing *l = calloc(1, sizeof *l);
    if (!l)
        return problem_store(p, ERR_NOMEM, ERROR_LIST);
    l->fn = fn;
    l->user = user;
    int e = store_audit_list(o->pool, f, listed, l);
    if (e < 0) {
        free(l);
        return problem_store(p, e, ERROR_LIST);
    }
    op_begin(o, &l->op, list_cancelled);
    return 0;
}
