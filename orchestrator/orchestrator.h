/*
 * The orchestrator: executions and their states, who may do what, keys and tokens. All answers come
 * through callbacks on the loop; no callback is called before the function returns; a function that
 * returns an error has filled *p (when it has that argument) and calls nothing.
 *
 * On start it takes over what its gateway id owns (next fence), goes on with runs whose runner
 * lives or whose spool has an exit record, starts those in STARTING that never started, and ends
 * the rest: runner_lost, or host_lost when the host was booted after the run began. Later it does
 * the same for gateways whose lease ran out (leases.h).
 */
#ifndef TAILGATE_ORCHESTRATOR_ORCHESTRATOR_H
#define TAILGATE_ORCHESTRATOR_ORCHESTRATOR_H

#include "base/err.h"
#include "base/loop.h"
#include "base/metrics.h"
#include "base/model.h"
#include "logs/hub.h"
#include "logs/writer.h"
#include "orchestrator/engine.h"

struct db_pool;
struct orchestrator;
struct sealer;

struct orchestrator_opts {
    const char *state_dir; /* absolute; runs/ and workspaces/ are made in it */
    const char *gateway_id;
    int64_t workspace_retention_ms;
    int64_t default_timeout_s; /* when a request names none; 0 = none */
    int64_t max_timeout_s;     /* 0 = none */
    int64_t default_grace_s;
    size_t command_bytes_max;
    size_t env_bytes_max; /* of all names and values */
    size_t max_live;      /* live executions here; more: ERR_LIMIT */
    uint64_t spool_max;
    int64_t settle_ms;     /* what PostgreSQL has not answered by then it never will */
    bool spool_full_fails; /* a command whose output finds no room is ended; else it waits */
    int64_t drain_ms;
    const char *run_user; /* as root: commands run as this user; NULL otherwise */
    const char *sandbox_read_paths, *sandbox_write_paths; /* colon-separated; NULL = none */
    const char *container_user;   /* whom commands run as in containers; NULL = the image's user */
    const char *registry_secrets; /* "REGISTRY=SECRET,…"; NULL = none */
    size_t audit_queue_max;       /* refusals that wait to be written */
    int64_t trace_retention_ms;   /* 0 = for ever */
    size_t trace_queue_bytes;     /* log records that wait to be written */
    int64_t token_ttl_s;          /* stream tokens: 24 h */
    struct sealer *sealer; /* borrowed; NULL: nothing can be sealed, runs with variables fail */
    int64_t max_running, max_running_per_user; /* over all gateways; 0 = any number */
    int64_t queue_max;          /* so many may wait (PENDING); 0 = what cannot start is refused */
    int64_t idempotency_ttl_ms; /* how long a request's key is remembered */
    const char *git_protocols;  /* "https,ssh" */
    int64_t claim_ttl_ms;       /* claim tokens: 15 min */
    int64_t max_keys_per_user;
    int64_t lease_ms;        /* of this gateway; renewed each third of it */
    int64_t gateway_lost_ms; /* after the lease of one that cannot be reached: its runs are ended */
    int64_t reconcile_interval_ms; /* 0 = only when asked */
    int64_t health_timeout_ms;     /* of one check of a reconcile */
    bool remove_orphans;           /* a reconcile removes them */
};

MUST_CHECK int orchestrator_new(struct loop *l, struct db_pool *pool, struct hub *hub,
                                struct writer *writer, struct engine *engine,
                                const struct orchestrator_opts *opts, struct orchestrator **ret);
/* Loads keys, adopts what is live. fn(err) once; then it takes work. */
typedef void (*orchestrator_fn)(void *user, int err);
MUST_CHECK int orchestrator_start(struct orchestrator *o, orchestrator_fn fn, void *user);
/* Takes no new runs from now on (graceful leave); runners go on. */
void orchestrator_leave(struct orchestrator *o);
void orchestrator_free(struct orchestrator *o);

/* ---- executions ---- */
struct env_var {
    const char *name, *value;
};
struct run_request {     /* borrowed for the call */
    const char *command; /* NULL or "": ERR_INVALID, details "command is required" */
    const char *image;   /* NULL = the default */
    const struct env_var *env;
    size_t env_count;
    const char *const *secrets; /* names; the request's own variables beat them */
    size_t secrets_count;
    const char *git_repo, *git_ref, *git_path; /* NULL and "" = none */
    const char *idempotency_key;               /* NULL = none */
    int64_t timeout_s;                         /* -1 = default, 0 = none */
    int64_t grace_s;                           /* -1 = default */
    bool tty;
};
/* e is valid during the call, NULL when p is set. */
typedef void (*orchestrator_execution_fn)(void *user, const struct problem *p,
                                          const struct execution *e);
/* is_replayed: e was made by an earlier request with the same idempotency key. */
typedef void (*orchestrator_run_fn)(void *user, const struct problem *p, const struct execution *e,
                                    bool is_replayed);
/*
 * role ─▶ fields ─▶ idempotency key ─▶ image ─▶ secrets ─▶ limits and row, one transaction ─▶ start
 *
 * Answers once the row is committed (STARTING, or PENDING in the queue); the start follows by
 * itself. ERR_INVALID, ERR_FORBIDDEN, ERR_NOT_FOUND (image), ERR_LIMIT, ERR_CONFLICT (the
 * idempotency key came with another request), ERR_DB*.
 */
MUST_CHECK int orchestrator_run(struct orchestrator *o, const struct caller *by,
                                const struct run_request *r, orchestrator_run_fn fn, void *user,
                                struct problem *p);

enum action { ACTION_READ, ACTION_STOP };
/* The row, if `who` may. ERR_NOT_FOUND (error text "execution not found"), ERR_FORBIDDEN, ERR_DB*.
 */
MUST_CHECK int orchestrator_get(struct orchestrator *o, const struct principal *who,
                                enum action action, const struct execution_id *id,
                                orchestrator_execution_fn fn, void *user, struct problem *p);

struct execution_filter {
    unsigned status_mask;   /* 0 = all */
    const char *created_by; /* NULL = all that `who` may see */
    int64_t since_us, until_us;
    int64_t before_key; /* 0 = newest */
    size_t limit;
};
typedef void (*orchestrator_executions_fn)(void *user, const struct problem *p,
                                           const struct execution *rows, size_t n);
/* A page, newest first. */
MUST_CHECK int orchestrator_list(struct orchestrator *o, const struct principal *who,
                                 const struct execution_filter *f, orchestrator_executions_fn fn,
                                 void *user, struct problem *p);

/* RUNNING/STARTING/PENDING: asks it to stop; fn gets the row (TERMINATING or STOPPED) once that is
 * committed. Already TERMINATING or ended: fn gets the row as it is; *e->state tells. stopped_now
 * tells which of both it was. */
typedef void (*orchestrator_kill_fn)(void *user, const struct problem *p, const struct execution *e,
                                     bool stopped_now);
MUST_CHECK int orchestrator_kill(struct orchestrator *o, const struct caller *by,
                                 const struct execution_id *id, orchestrator_kill_fn fn, void *user,
                                 struct problem *p);

/*
 * Executions of other gateways: `tell` makes the one that runs it stop it, as far as it hears of
 * it; it is called again until the row shows it, or somebody gives up (ERR_CLOSED). fn NULL: nobody
 * can be told. orchestrator_stop_told is the other end: it stops what runs here, for a person whose
 * right to it the teller has checked; user is a struct orchestrator.
 */
typedef void (*orchestrator_stop_fn)(void *user, int64_t execution_key, const char *email,
                                     const char *request_id);
void orchestrator_tell_stop(struct orchestrator *o, orchestrator_stop_fn tell, void *user);
void orchestrator_stop_told(void *user, int64_t execution_key, const char *email,
                            const char *request_id);

/* ---- authentication ---- */
typedef void (*orchestrator_principal_fn)(void *user, const struct problem *p,
                                          const struct principal *who);
/* By API key. ERR_BAD_KEY, ERR_REVOKED, ERR_DB_AWAY … in p->err. A key that is not even well formed
 * (checksum) answers ERR_BAD_KEY without a database call. */
MUST_CHECK int orchestrator_authenticate(struct orchestrator *o, const char *key,
                                         orchestrator_principal_fn fn, void *user,
                                         struct problem *p);
/*
 * Stream tokens (Runvoy's websocket_url): authenticated with a key that all gateways share; bound
 * to one execution and one user, valid until they expire. Base64url text, STREAM_TOKEN_SIZE with
 * NUL.
 */
#define STREAM_TOKEN_SIZE 192
MUST_CHECK int orchestrator_token_make(struct orchestrator *o, const struct principal *who,
                                       const struct execution_id *id, char ret[STREAM_TOKEN_SIZE]);
/* Synchronous part: ERR_BAD_KEY (not ours, expired), ERR_FORBIDDEN (another execution's). */
MUST_CHECK int orchestrator_token_check(struct orchestrator *o, const char *token,
                                        const struct execution_id *id, int64_t *ret_user_key);
/* The token's user as it is now: ERR_REVOKED … in p. */
MUST_CHECK int orchestrator_token_principal(struct orchestrator *o, int64_t user_key,
                                            orchestrator_principal_fn fn, void *user,
                                            struct problem *p);

/* Makes the admin user and a key when state_dir/admin.key does not hold a key that is known; writes
 * the key there (0600). For --dev. */
MUST_CHECK int orchestrator_bootstrap_dev(struct orchestrator *o, const char *email,
                                          orchestrator_fn fn, void *user);

bool orchestrator_is_ready(const struct orchestrator *o); /* started, database reachable */
size_t orchestrator_live_count(const struct orchestrator *o);

/* Figures; each execution and spool is looked at, so only when asked. */
struct orchestrator_database_stats {
    size_t connections, ready;             /* of the pool */
    size_t waiting;                        /* transactions that no connection has taken yet */
    struct metrics_histogram wait_seconds; /* until one took them */
};
struct orchestrator_stats {
    size_t live[EXEC_STATUS_COUNT]; /* by the latest committed state */
    struct orchestrator_database_stats api, writer;
    struct writer_stats log;
    uint64_t spool_bytes;                  /* not yet committed */
    uint64_t audit_dropped, trace_dropped; /* entries and records that found no room */
};
void orchestrator_stats(const struct orchestrator *o, struct orchestrator_stats *ret);

#endif
