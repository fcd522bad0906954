/*
 * One question at a time: a hint that comes meanwhile asks once more.
 *
 *   idle ─(hint, poll)▶ asking ─▶ idle
 *                       └─ a hint ─▶ asking again
 */
#include "orchestrator/revocations.h"

#include "base/err.h"
#include "base/log.h"
#include "db/listener.h"
#include "db/store_api_keys.h"

/* How much earlier than it commits a revocation may be dated: longer than any transaction lives. */
#define OVERLAP_US (INT64_C(60) * 1000000)
/* Until the first answer nothing is of interest: no session is older. */
#define NOTHING_US INT64_C(4000000000000000)

struct revoked {
    const struct store_revocation *rows;
    size_t n;
};

struct revocations {
    struct db_pool *pool;
    struct db_listener *listener;
    struct loop_timer *poll;
    revocations_fn fn;
    void *user;
    int64_t since_us;
    bool is_asking, is_hinted, is_freed;
};

static int compare(const void *a, const void *b)
{
    const struct store_revocation *x = a, *y = b;
    if (x->user_key != y->user_key)
        return x->user_key < y->user_key ? -1 : 1;
    return x->key_id < y->key_id ? -1 : x->key_id > y->key_id;
}

static bool has(const struct revoked *list, int64_t user_key, int64_t key_id)
{
    const struct store_revocation wanted = {user_key, key_id};
    return bsearch(&wanted, list->rows, list->n, sizeof wanted, compare) != NULL;
}

bool revoked_has(const struct revoked *list, const struct principal *who)
{
    return has(list, who->user_key, 0) ||
           (who->key_id > 0 && has(list, who->user_key, who->key_id));
}

static void ask(void *user);

static void on_answer(void *user, int err, const struct store_revocation *rows, size_t n,
                      int64_t now_us)
{
    struct revocations *r = user;
    r->is_asking = false;
    if (r->is_freed) {
        free(r);
        return;
    }
    if (err == 0) {
        const struct revoked list = {rows, n};
        r->since_us = now_us - OVERLAP_US;
        if (n > 0)
            r->fn(r->user, &list);
    }
    if (r->is_hinted && err == 0)
        ask(r);
}

/* A failure is left to the next poll: the pool says in the log that the database is away. */
static void ask(void *user)
{
    struct revocations *r = user;
    r->is_hinted = r->is_asking;
    if (r->is_asking)
        return;
    r->is_asking = store_revocations(r->pool, r->since_us, on_answer, r) == 0;
}

static void on_poll(void *user)
{
    const struct revocations *r = user;
    if (!r->is_asking)
        ask(user);
}

static void on_notify(void *user, const char *channel UNUSED, const char *payload UNUSED)
{
    ask(user);
}

int revocations_new(struct loop *l, const char *conninfo, struct db_pool *pool, revocations_fn fn,
                    void *user, struct revocations **ret)
{
    static const char *const channels[] = {STORE_REVOCATIONS_CHANNEL};
    struct revocations *r = calloc(1, sizeof *r);
    if (!r)
        return ERR_NOMEM;
    r->pool = pool;
    r->fn = fn;
    r->user = user;
    r->since_us = NOTHING_US;
    int err = loop_timer_new(l, on_poll, r, &r->poll);
    if (err == 0)
        err = db_listener_new(l, conninfo, channels, ARRAY_SIZE(channels), on_notify, ask, r,
                              &r->listener);
    if (err < 0) {
        loop_timer_free(r->poll);
        free(r);
        return err;
    }
    loop_timer_start(r->poll, 0, REVOCATIONS_POLL_MS);
    *ret = r;
    return 0;
}

void revocations_free(struct revocations *r)
{
    if (!r)
        return;
    db_listener_free(r->listener);
    loop_timer_free(r->poll);
    r->is_freed = true;
    if (!r->is_asking)
        free(r); /* else with the answer, which the pool's end gives at the latest */
}
