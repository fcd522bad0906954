/*
 * A world without PostgreSQL, spools and engines for the orchestrator's tests: each call of the
 * stores is kept until the test answers it, feeds record what they are told, time stands still
 * until fake_pass. Everything is reset by fake_setup.
 */
#ifndef TAILGATE_TESTS_ORCHESTRATOR_FAKE_H
#define TAILGATE_TESTS_ORCHESTRATOR_FAKE_H

#include "db/store_executions.h"
#include "db/store_gateways.h"
#include "db/store_keys.h"
#include "db/store_runs.h"
#include "db/store_tickets.h"
#include "logs/hub.h"
#include "logs/writer.h"
#include "orchestrator/live.h"
#include "orchestrator/orchestrator.h"

#include "../base/unit.h"

/* ---- stores ---- */
enum fake_call_kind {
    CALL_CREATE,
    CALL_GET,
    CALL_LIST,
    CALL_ADOPT,
    CALL_HEARTBEAT,
    CALL_STRAYS,
    CALL_TAKE,
    CALL_OWN,
    CALL_KEY,
    CALL_USER,
    CALL_TICKET,
    CALL_REDEEM,
    CALL_BOOTSTRAP,
    CALL_SERVER_KEY,
    CALL_SUBMIT,
    CALL_EARLIER,
    CALL_DEQUEUE,
    CALL_DEQUEUED,
    CALL_CANCEL,
    CALL_KILL_AUDIT,
    CALL_KINDS,
};
struct fake_call {
    enum fake_call_kind kind;
    union {
        store_execution_fn execution;
        store_executions_fn executions;
        store_created_fn created;
        store_earlier_fn earlier;
        store_launches_fn launches;
        store_strays_fn strays;
        store_principal_fn principal;
        store_ticket_fn ticket;
        db_batch_fn batch;
    } fn;
    void *user;
    struct execution_id id;               /* GET */
    struct store_execution_filter filter; /* LIST */
    char created_by[256];                 /* CREATE, LIST ("" = all) */
    char request_id[64];                  /* CREATE */
    uint64_t random;                      /* CREATE */
    int64_t timeout_s, grace_s;           /* CREATE */
    struct store_run_limits limits;       /* CREATE, DEQUEUE */
    int64_t queue_max;                    /* CREATE */
    bool has_no_room, is_sealed;          /* CREATE */
    char image_id[64], key[64];           /* CREATE; key: EARLIER too */
    uint8_t sealed[8192];                 /* CREATE */
    size_t sealed_len;
    char seal_key_id[32];
    char owner[64], home[64]; /* TAKE; OWN: home */
    bool begins, with_own;    /* HEARTBEAT; STRAYS */
    int64_t user_key;         /* USER; TICKET: key_id */
    uint8_t bytes[32];        /* KEY, BOOTSTRAP, TICKET, REDEEM: hash; SERVER_KEY: fresh */
    char prefix[16];          /* BOOTSTRAP */
    struct exec_state to[RUN_STEPS_MAX]; /* SUBMIT */
    size_t steps;
};
/* How many calls of this kind wait for their answer. */
size_t fake_waiting(enum fake_call_kind kind);
/* Takes the oldest; fails the test when there is none. */
struct fake_call fake_take(enum fake_call_kind kind);
void fake_answer_execution(enum fake_call_kind kind, int err, const struct execution *e);
void fake_answer_rows(enum fake_call_kind kind, int err, const struct execution *rows, size_t n);
/* A row with what was sealed for it; launch NULL: none. ADOPT, DEQUEUE, DEQUEUED, TAKE, OWN. */
void fake_answer_launch(enum fake_call_kind kind, int err, const struct store_launch *launch);
void fake_answer_strays(int err, const struct store_stray *rows, size_t n);
void fake_answer_batch(enum fake_call_kind kind, int err);
void fake_answer_principal(enum fake_call_kind kind, int err, const struct principal *who);
/* What the store calls return from now on instead of taking the call. */
void fake_stores_return(int err);
/* Rows that a SUBMIT's statements are said to have changed (1 from the start). */
void fake_set_affected(int64_t rows);
/* The value that SERVER_KEY answers; NULL: no row. */
void fake_set_server_key(const void *p, size_t n);
void fake_set_pool_ready(bool ready);

/* ---- feeds ---- */
#define FAKE_TRANSITIONS_MAX 8
struct feed {
    struct list node;
    struct feed_callbacks cb;
    void *user;
    struct exec_state state;
    struct {
        struct exec_state to;
        char cause[320], request_id[64];
    } transitions[FAKE_TRANSITIONS_MAX];
    size_t count, committed;
    char line[640]; /* the last system line */
    size_t lines, lines_at_transition;
    unsigned wakes;
    bool is_drained, is_redacting, is_held;
    int64_t key;
};
/* The open feed of an execution; NULL: none. */
struct feed *fake_feed(int64_t key);
size_t fake_feeds(void);
/* Commits all that is queued. */
void fake_commit(struct feed *f);
void fake_feed_open_returns(int err);
void fake_transition_returns(int err);
/* Published without a feed. */
extern struct exec_state fake_published;
extern unsigned fake_publications, fake_pokes;
void fake_topic_open_returns(int err);

/* ---- the engine ---- */
struct fake_engine {
    struct engine base;
    enum rundir_liveness liveness;
    int inspect_err, start_err, stop_err, explain_err;
    bool is_clean;
    unsigned starts, stops, inspects, questions, cleanings;
    char run_dir[256]; /* of the last start */
    /* of the last start not yet forgotten */
    engine_fn started;
    engine_gone_fn on_gone;
    engine_verdict_fn verdict; /* of the last question */
    void *user;
};
extern struct fake_engine fake_engine;
/* Of an engine that runs images; fake_setup puts the usual ones back. */
extern const struct engine_ops fake_container_ops;

/* ---- time: only with the loop_* and clock wraps of FAKE_TIME (CMakeLists.txt) ---- */
/* What the thread pool is given waits: to be done, or to end with an error, not done. */
void fake_hold_work(bool hold);
size_t fake_held_work(void);
void fake_do_work(int err);
/* Timers and deferred calls that fall due within ms, in order. */
void fake_pass(int64_t ms);
size_t fake_timers(void);

/* ---- the whole ---- */
struct world {
    struct orchestrator *o;
    char dir[64]; /* state directory */
    struct sealer *sealer;
};
/* cmocka fixtures: a started orchestrator in a temporary directory (*state: struct world). */
int fake_setup(void **state);
int fake_setup_unstarted(void **state);
int fake_teardown(void **state);
/* Options that fake_setup uses; a test may change a copy. */
struct orchestrator_opts fake_opts(const struct world *w);

/* ---- builders ---- */
/* A row with the n-th id, owned by "gw1", in this status; strings are static. */
struct execution fake_row(uint32_t n, enum exec_status status);
struct principal fake_who(enum role role, const char *email);
struct caller fake_caller(const struct principal *who); /* request "req-1" from 192.0.2.1 */
/* A live execution in this status, with its feed (STARTING was launched, others adopted). */
struct live *fake_live(struct world *w, uint32_t n, enum exec_status status);
bool fake_exists(const char *path);

#endif
