/* Stores that keep each call until the test answers it, and batches that record transitions. */
#include "fake.h"
#include "fake_health.h"

#include "base/str.h"

#include <stdio.h>
#include <string.h>

#define CALLS_MAX 64

struct db_batch {
    struct exec_state to[RUN_STEPS_MAX];
    size_t steps;
};

static struct fake_call calls[CALLS_MAX];
static size_t n_calls;
static int stores_return;
static int64_t affected = 1;
static const void *server_key;
static size_t server_key_len;
static bool pool_ready = true;

void fake_store_reset(void);
void fake_store_reset(void)
{
    n_calls = 0;
    stores_return = 0;
    affected = 1;
    pool_ready = true;
    server_key = "0123456789abcdef0123456789abcdef";
    server_key_len = 32;
}

static struct fake_call *record(enum fake_call_kind kind, void *user)
{
    if (stores_return < 0)
        return NULL;
    assert_true(n_calls < CALLS_MAX);
    struct fake_call *c = &calls[n_calls++];
    memset(c, 0, sizeof *c);
    c->kind = kind;
    c->user = user;
    return c;
}

size_t fake_waiting(enum fake_call_kind kind)
{
    size_t n = 0;
    for (size_t i = 0; i < n_calls; i++)
        n += calls[i].kind == kind;
    return n;
}

struct fake_call fake_take(enum fake_call_kind kind)
{
    for (size_t i = 0; i < n_calls; i++) {
        if (calls[i].kind != kind)
            continue;
        struct fake_call c = calls[i];
        memmove(&calls[i], &calls[i + 1], (--n_calls - i) * sizeof calls[0]);
        return c;
    }
    fail_msg("no call of kind %d waits", kind);
    abort();
}

void fake_answer_execution(enum fake_call_kind kind, int err, const struct execution *e)
{
    struct fake_call c = fake_take(kind);
    if (kind == CALL_CREATE)
        c.fn.created(c.user, err, e, STORE_REFUSED_NOT);
    else
        c.fn.execution(c.user, err, e);
}

void fake_answer_launch(enum fake_call_kind kind, int err, const struct store_launch *launch)
{
    struct fake_call c = fake_take(kind);
    c.fn.launches(c.user, err, launch, launch ? 1 : 0);
}

void fake_answer_rows(enum fake_call_kind kind, int err, const struct execution *rows, size_t n)
{
    struct fake_call c = fake_take(kind);
    struct store_launch launches[8] = {0};
    if (kind != CALL_ADOPT) {
        c.fn.executions(c.user, err, rows, n);
        return;
    }
    assert_true(n <= ARRAY_SIZE(launches));
    for (size_t i = 0; i < n; i++)
        launches[i].row = rows[i];
    c.fn.launches(c.user, err, n > 0 ? launches : NULL, n);
}

void fake_answer_strays(int err, const struct store_stray *rows, size_t n)
{
    struct fake_call c = fake_take(CALL_STRAYS);
    c.fn.strays(c.user, err, rows, n);
}

void fake_answer_batch(enum fake_call_kind kind, int err)
{
    struct fake_call c = fake_take(kind);
    c.fn.batch(c.user, err, NULL);
}

void fake_answer_principal(enum fake_call_kind kind, int err, const struct principal *who)
{
    struct fake_call c = fake_take(kind);
    c.fn.principal(c.user, err, who);
}

void fake_stores_return(int err)
{
    stores_return = err;
}

void fake_set_affected(int64_t rows)
{
    affected = rows;
}

void fake_set_server_key(const void *p, size_t n)
{
    server_key = p;
    server_key_len = n;
}

void fake_set_pool_ready(bool ready)
{
    pool_ready = ready;
}

/* ---- what the orchestrator calls ---- */

int store_execution_create(struct db_pool *p UNUSED, const struct store_new_execution *n,
                           store_created_fn fn, void *user)
{
    struct fake_call *c = record(CALL_CREATE, user);
    if (!c)
        return stores_return;
    c->fn.created = fn;
    c->limits = n->limits;
    c->queue_max = n->queue_max;
    c->has_no_room = n->has_no_room;
    c->is_sealed = n->seal_key_id != NULL;
    if (n->seal_key_id) {
        assert_true(n->sealed_len <= sizeof c->sealed);
        memcpy(c->sealed, n->sealed, n->sealed_len);
        c->sealed_len = n->sealed_len;
        (void)snprintf(c->seal_key_id, sizeof c->seal_key_id, "%s", n->seal_key_id);
    }
    (void)snprintf(c->image_id, sizeof c->image_id, "%s", n->image_id);
    (void)snprintf(c->key, sizeof c->key, "%s", n->idempotency.key ? n->idempotency.key : "");
    assert_string_equal(n->owner, "gw1");
    c->random = n->random;
    c->timeout_s = n->timeout_s;
    c->grace_s = n->grace_s;
    (void)snprintf(c->created_by, sizeof c->created_by, "%s", n->by.who->email);
    (void)snprintf(c->request_id, sizeof c->request_id, "%s", n->by.request_id);
    return 0;
}

int store_execution_get(struct db_pool *p UNUSED, const struct execution_id *id,
                        store_execution_fn fn, void *user)
{
    struct fake_call *c = record(CALL_GET, user);
    if (!c)
        return stores_return;
    c->fn.execution = fn;
    c->id = *id;
    return 0;
}

int store_execution_list(struct db_pool *p UNUSED, const struct store_execution_filter *f,
                         store_executions_fn fn, void *user)
{
    struct fake_call *c = record(CALL_LIST, user);
    if (!c)
        return stores_return;
    c->fn.executions = fn;
    c->filter = *f;
    (void)snprintf(c->created_by, sizeof c->created_by, "%s", f->created_by ? f->created_by : "");
    return 0;
}

int store_execution_adopt(struct db_pool *p UNUSED, const char *owner, store_launches_fn fn,
                          void *user)
{
    struct fake_call *c = record(CALL_ADOPT, user);
    if (!c)
        return stores_return;
    assert_string_equal(owner, "gw1");
    c->fn.launches = fn;
    return 0;
}

int store_execution_earlier(struct db_pool *p UNUSED, int64_t user_key,
                            const struct store_idempotency *i, store_earlier_fn fn, void *user)
{
    struct fake_call *c = record(CALL_EARLIER, user);
    if (!c)
        return stores_return;
    c->user_key = user_key;
    (void)snprintf(c->key, sizeof c->key, "%s", i->key);
    memcpy(c->bytes, i->body_hash, sizeof c->bytes);
    c->fn.earlier = fn;
    return 0;
}

int store_execution_dequeue(struct db_pool *p UNUSED, const char *owner,
                            const struct store_run_limits *limits, store_launches_fn fn, void *user)
{
    struct fake_call *c = record(CALL_DEQUEUE, user);
    if (!c)
        return stores_return;
    assert_string_equal(owner, "gw1");
    c->limits = *limits;
    c->fn.launches = fn;
    return 0;
}

int store_execution_dequeued(struct db_pool *p UNUSED, const char *owner, store_launches_fn fn,
                             void *user)
{
    struct fake_call *c = record(CALL_DEQUEUED, user);
    if (!c)
        return stores_return;
    assert_string_equal(owner, "gw1");
    c->fn.launches = fn;
    return 0;
}

int store_execution_cancel(struct db_pool *p UNUSED, const struct caller *by,
                           const struct execution *e, const struct exec_state *to,
                           const char *cause, db_batch_fn fn, void *user)
{
    struct fake_call *c = record(CALL_CANCEL, user);
    if (!c)
        return stores_return;
    assert_non_null(by->who);
    assert_true(cause[0] != '\0');
    assert_int_equal(e->state.status, EXEC_PENDING);
    assert_int_equal(to->version, e->state.version + 1);
    c->to[0] = *to;
    c->steps = 1;
    c->fn.batch = fn;
    return 0;
}

int store_kill_audit(struct db_pool *p UNUSED, const struct caller *by, const struct execution *e,
                     db_batch_fn fn, void *user)
{
    struct fake_call *c = record(CALL_KILL_AUDIT, user);
    if (!c)
        return stores_return;
    c->id = e->id;
    (void)snprintf(c->created_by, sizeof c->created_by, "%s", by->who->email);
    (void)snprintf(c->request_id, sizeof c->request_id, "%s", by->request_id);
    c->fn.batch = fn;
    return 0;
}

int store_gateway_renew(struct db_pool *p UNUSED, const struct store_gateway *g, bool begins,
                        db_batch_fn fn, void *user)
{
    struct fake_call *c = record(CALL_HEARTBEAT, user);
    if (!c)
        return stores_return;
    assert_string_equal(g->gateway_id, "gw1");
    assert_int_equal(g->state_dir[0], '/');
    assert_int_equal(g->lease_ms, 15000);
    c->begins = begins;
    c->fn.batch = fn;
    return 0;
}

int store_strays(struct db_pool *p UNUSED, const char *self, bool with_own, store_strays_fn fn,
                 void *user)
{
    struct fake_call *c = record(CALL_STRAYS, user);
    if (!c)
        return stores_return;
    assert_string_equal(self, "gw1");
    c->with_own = with_own;
    c->fn.strays = fn;
    return 0;
}

static int record_take(enum fake_call_kind kind, const char *owner, const char *home,
                       store_launches_fn fn, void *user)
{
    struct fake_call *c = record(kind, user);
    if (!c)
        return stores_return;
    (void)snprintf(c->owner, sizeof c->owner, "%s", owner);
    (void)snprintf(c->home, sizeof c->home, "%s", home);
    c->fn.launches = fn;
    return 0;
}

int store_strays_take(struct db_pool *p UNUSED, const char *self, const char *owner,
                      const char *home, store_launches_fn fn, void *user)
{
    assert_string_equal(self, "gw1");
    return record_take(CALL_TAKE, owner, home, fn, user);
}

int store_strays_own(struct db_pool *p UNUSED, const char *self, const char *home,
                     store_launches_fn fn, void *user)
{
    return record_take(CALL_OWN, self, home, fn, user);
}

int store_key_lookup(struct db_pool *p UNUSED, const uint8_t hash[STORE_KEY_HASH_LEN],
                     store_principal_fn fn, void *user)
{
    struct fake_call *c = record(CALL_KEY, user);
    if (!c)
        return stores_return;
    c->fn.principal = fn;
    memcpy(c->bytes, hash, sizeof c->bytes);
    return 0;
}

int store_user_lookup(struct db_pool *p UNUSED, int64_t user_key, store_principal_fn fn, void *user)
{
    struct fake_call *c = record(CALL_USER, user);
    if (!c)
        return stores_return;
    c->fn.principal = fn;
    c->user_key = user_key;
    return 0;
}

int store_ticket_make(struct db_pool *p UNUSED, const uint8_t hash[STORE_KEY_HASH_LEN],
                      int64_t key_id, int64_t ttl_ms, store_ticket_fn fn, void *user)
{
    struct fake_call *c = record(CALL_TICKET, user);
    if (!c)
        return stores_return;
    assert_int_equal(ttl_ms, 30000);
    c->fn.ticket = fn;
    memcpy(c->bytes, hash, sizeof c->bytes);
    c->user_key = key_id;
    return 0;
}

int store_ticket_redeem(struct db_pool *p UNUSED, const uint8_t hash[STORE_KEY_HASH_LEN],
                        store_principal_fn fn, void *user)
{
    struct fake_call *c = record(CALL_REDEEM, user);
    if (!c)
        return stores_return;
    c->fn.principal = fn;
    memcpy(c->bytes, hash, sizeof c->bytes);
    return 0;
}

int store_bootstrap_admin(struct db_pool *p UNUSED, const char *email,
                          const uint8_t hash[STORE_KEY_HASH_LEN], const char *prefix,
                          db_batch_fn fn, void *user)
{
    struct fake_call *c = record(CALL_BOOTSTRAP, user);
    if (!c)
        return stores_return;
    c->fn.batch = fn;
    memcpy(c->bytes, hash, sizeof c->bytes);
    (void)snprintf(c->created_by, sizeof c->created_by, "%s", email);
    (void)snprintf(c->prefix, sizeof c->prefix, "%s", prefix);
    return 0;
}

int store_server_key(struct db_pool *p UNUSED, const char *name, const void *fresh, size_t len,
                     db_batch_fn fn, void *user)
{
    struct fake_call *c = record(CALL_SERVER_KEY, user);
    if (!c)
        return stores_return;
    assert_string_equal(name, "stream_token");
    assert_int_equal(len, sizeof c->bytes);
    memcpy(c->bytes, fresh, len);
    c->fn.batch = fn;
    return 0;
}

/* ---- batches ---- */

int db_batch_new(struct db_batch **ret)
{
    *ret = calloc(1, sizeof **ret);
    return *ret ? 0 : ERR_NOMEM;
}

void db_batch_free(struct db_batch *b)
{
    free(b);
}

int store_transition_add(struct db_batch *b, int64_t key UNUSED, const char *owner,
                         int64_t fence UNUSED, const struct exec_state *from,
                         const struct exec_state *to, const char *cause, const char *request_id)
{
    assert_string_equal(owner, "gw1");
    assert_non_null(request_id);
    assert_true(cause[0] != '\0');
    assert_true(exec_status_may_become(from->status, to->status));
    assert_int_equal(to->version, from->version + 1);
    assert_true(b->steps < RUN_STEPS_MAX);
    b->to[b->steps++] = *to;
    return 0;
}

int db_submit(struct db_pool *p UNUSED, struct db_batch *b, db_batch_fn fn, void *user)
{
    struct fake_call *c = record(CALL_SUBMIT, user);
    if (c) {
        c->fn.batch = fn;
        c->steps = b->steps;
        memcpy(c->to, b->to, sizeof c->to);
    }
    free(b);
    return c ? 0 : stores_return;
}

int64_t db_affected(const struct db_result *r UNUSED, size_t stmt UNUSED)
{
    return affected;
}

size_t db_rows(const struct db_result *r, size_t stmt)
{
    if (r)
        return ((const struct fake_result *)(const void *)r)->stmt[stmt].n;
    return server_key ? 1 : 0;
}

const void *db_get_bytes(const struct db_result *r, size_t stmt, size_t row, size_t col UNUSED,
                         size_t *ret_len)
{
    if (r) {
        const struct fake_row_of *one =
            &((const struct fake_result *)(const void *)r)->stmt[stmt].rows[row];
        *ret_len = one->len;
        return one->bytes;
    }
    *ret_len = server_key_len;
    return server_key;
}

bool db_pool_is_ready(const struct db_pool *p UNUSED)
{
    return pool_ready;
}
