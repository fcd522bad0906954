/* Tickets: made, and taken once. What waits for PostgreSQL is an op that the orchestrator's end
 * cancels. */
#include "orchestrator/tickets.h"

#include "base/str.h"
#include "db/store_tickets.h"
#include "orchestrator/internal.h"
#include "orchestrator/keys.h"
#include "orchestrator/random_text.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define TICKET_BYTES 32

static_assert(RANDOM_TEXT_LEN(TICKET_BYTES) == TICKET_LEN, "ticket length");

static const char MAKE_FAILED[] = "failed to create ticket";

struct making {
    struct op op;
    orchestrator_ticket_fn fn;
    void *user;
    char ticket[TICKET_LEN + 1];
};

struct redeeming {
    struct op op;
    orchestrator_principal_fn fn;
    void *user;
};

/* ---- making ---- */

static void making_free(struct making *m)
{
    sodium_memzero(m->ticket, sizeof m->ticket);
    free(m);
}

static void making_cancelled(struct op *op, const struct problem *p)
{
    struct making *m = CONTAINER_OF(op, struct making, op);
    m->fn(m->user, p, NULL, 0);
}

static void on_made(void *user, int err, int64_t expires_us)
{
    struct making *m = user;
    struct problem p;
    if (op_end(&m->op)) {
        if (err == 0) {
            m->fn(m->user, NULL, m->ticket, expires_us);
        } else {
            (void)problem_store(&p, err, MAKE_FAILED);
            m->fn(m->user, &p, NULL, 0);
        }
    }
    making_free(m);
}

int orchestrator_ticket_make(struct orchestrator *o, const struct principal *who,
                             orchestrator_ticket_fn fn, void *user, struct problem *p)
{
    uint8_t hash[API_KEY_HASH_LEN];
    struct making *m = calloc(1, sizeof *m);
    if (!m)
        return problem_store(p, ERR_NOMEM, MAKE_FAILED);
    m->fn = fn;
    m->user = user;
    random_text_make(TICKET_BYTES, m->ticket);
    api_key_hash(m->ticket, hash);
    int r = store_ticket_make(o->pool, hash, who->key_id, TICKET_TTL_MS, on_made, m);
    if (r < 0) {
        making_free(m);
        return problem_store(p, r, MAKE_FAILED);
    }
    op_begin(o, &m->op, making_cancelled);
    return 0;
}

/* ---- redeeming ---- */

static int problem_ticket(struct problem *p, int err)
{
    if (err == ERR_BAD_KEY)
        return problem_set(p, err, "Unauthorized", "the ticket is unknown, used or expired");
    return problem_store(p, err, "Server error");
}

static void redeeming_cancelled(struct op *op, const struct problem *p)
{
    struct redeeming *d = CONTAINER_OF(op, struct redeeming, op);
    d->fn(d->user, p, NULL);
}

static void on_redeemed(void *user, int err, const struct principal *who)
{
    struct redeeming *d = user;
    struct problem p;
    if (op_end(&d->op)) {
        if (err == 0) {
            d->fn(d->user, NULL, who);
        } else {
            (void)problem_ticket(&p, err);
            d->fn(d->user, &p, NULL);
        }
    }
    free(d);
}

int orchestrator_ticket_redeem(struct orchestrator *o, const char *ticket,
                               orchestrator_principal_fn fn, void *user, struct problem *p)
{
    uint8_t hash[API_KEY_HASH_LEN];
    if (!random_text_is_well_formed(ticket, TICKET_BYTES))
        return problem_ticket(p, ERR_BAD_KEY);
    struct redeeming *d = calloc(1, sizeof *d);
    if (!d)
        return problem_ticket(p, ERR_NOMEM);
    d->fn = fn;
    d->user = user;
    api_key_hash(ticket, hash);
    int r = store_ticket_redeem(o->pool, hash, on_redeemed, d);
    if (r < 0) {
        free(d);
        return problem_ticket(p, r);
    }
    op_begin(o, &d->op, redeeming_cancelled);
    return 0;
}
