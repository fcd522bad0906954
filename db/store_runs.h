/*
 * How executions begin: created within limits, queued, taken over; what they need besides their
 * row; the names that clients give to requests (idempotency keys). Callbacks as in
 * store_executions.h.
 */
#ifndef TAILGATE_DB_STORE_RUNS_H
#define TAILGATE_DB_STORE_RUNS_H

#include "db/store_executions.h"

#define STORE_BODY_HASH_LEN 32
/* Old idempotency keys that each new one removes: more than it adds, so that none are left over. */
#define STORE_IDEMPOTENCY_SWEPT 100

struct store_run_limits {              /* counted over all gateways; TERMINATING ones run too */
    int64_t running, running_per_user; /* 0 = no limit */
};

struct store_idempotency {
    const char *key; /* NULL = none */
    uint8_t body_hash[STORE_BODY_HASH_LEN];
    int64_t retention_ms;
};

struct store_new_execution {
    struct caller by; /* creator; the change is told in the audit */
    const char *command, *image_id, *owner;
    bool is_registered_image; /* not the engine's own */
    uint64_t random;          /* the id's random half */
    int64_t timeout_s, grace_s;
    bool tty;
    const char *seal_key_id; /* NULL with nothing sealed */
    const void *sealed;
    size_t sealed_len;
    struct store_idempotency idempotency;
    struct store_run_limits limits;
    int64_t queue_max; /* so many may wait; 0 = no queue: what cannot start is refused */
    bool has_no_room;  /* this gateway cannot start it now, whatever the limits say */
};

enum store_refusal {
    STORE_REFUSED_NOT,
    STORE_REFUSED_RUNNING,          /* limits.running is reached */
    STORE_REFUSED_RUNNING_PER_USER, /* limits.running_per_user */
    STORE_REFUSED_QUEUE,            /* queue_max */
    STORE_REFUSED_IMAGE,            /* the image was removed meanwhile */
};
/* err 0: e is the row, STARTING or PENDING (then without an owner), or NULL when it was refused and
 * nothing was written. ERR_CONFLICT: the idempotency key is taken. ERR_STALE: the key that it was
 * sealed with has been replaced. */
typedef void (*store_created_fn)(void *user, int err, const struct execution *e,
                                 enum store_refusal refusal);
/*
 * One transaction: ensures the day's partition, takes a key, inserts the row, its first event
 * (cause "accepted"), what is sealed, the idempotency key and the audit's entry. With limits or a
 * queue such transactions come one after the other, so that two never take the last place.
 */
MUST_CHECK int store_execution_create(struct db_pool *p, const struct store_new_execution *n,
                                      store_created_fn fn, void *user);

/* The execution that a request with this key made. ERR_NOT_FOUND: none, or longer ago than the
 * retention. is_same: its body was the same. */
typedef void (*store_earlier_fn)(void *user, int err, const struct execution *e, bool is_same);
MUST_CHECK int store_execution_earlier(struct db_pool *p, int64_t user_key,
                                       const struct store_idempotency *i, store_earlier_fn fn,
                                       void *user);

/* An execution to be gone on with, and what was sealed for it (NULL: nothing). */
struct store_launch {
    struct execution row;
    const char *seal_key_id;
    const void *sealed;
    size_t sealed_len;
};
typedef void (*store_launches_fn)(void *user, int err, const struct store_launch *rows, size_t n);

/* A start of the gateway: takes the next fence of every live execution of `owner` and returns them,
 * but for those that have another home (store_strays_own). */
MUST_CHECK int store_execution_adopt(struct db_pool *p, const char *owner, store_launches_fn fn,
                                     void *user);
/* The longest-waiting execution that the limits let start becomes STARTING and `owner`'s (event
 * "starting"): one row, or none. */
MUST_CHECK int store_execution_dequeue(struct db_pool *p, const char *owner,
                                       const struct store_run_limits *limits, store_launches_fn fn,
                                       void *user);
/* Those that `owner` took from the queue and that have not begun: for the answer that was lost. */
MUST_CHECK int store_execution_dequeued(struct db_pool *p, const char *owner, store_launches_fn fn,
                                        void *user);

/* Ends one that waits (event with `cause`); fn with ERR_STALE when it waits no more. */
MUST_CHECK int store_execution_cancel(struct db_pool *p, const struct caller *by,
                                      const struct execution *e, const struct exec_state *to,
                                      const char *cause, db_batch_fn fn, void *user);
/* Tells in the audit that an execution is asked to stop; affects no row when it is being stopped or
 * has ended. */
MUST_CHECK int store_kill_audit(struct db_pool *p, const struct caller *by,
                                const struct execution *e, db_batch_fn fn, void *user);

#endif
