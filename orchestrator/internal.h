/*
 * What the orchestrator's sources share: the orchestrator itself, operations that wait for
 * PostgreSQL, and how errors are told to people.
 */
#ifndef TAILGATE_ORCHESTRATOR_INTERNAL_H
#define TAILGATE_ORCHESTRATOR_INTERNAL_H

#include "base/list.h"
#include "db/pool.h"
#include "orchestrator/last_use.h"
#include "orchestrator/orchestrator.h"

#define TOKEN_KEY_LEN 32
/* In a state directory. */
#define RUNS_DIR "runs"
#define WORKSPACES_DIR "workspaces"
/* One argument or environment string of execve(2) takes at most 32 pages, NUL included. */
#define EXEC_STRING_MAX (32u * 4096u - 1u)

struct audit;
struct leases;
struct health;
struct queue;
struct orphans;
struct sweeper;
struct tracer;

struct orchestrator {
    struct loop *loop;
    struct db_pool *pool;
    struct hub *hub;
    struct writer *writer;
    struct engine *engine;
    struct orchestrator_opts opts; /* its strings are those below */
    char *state_dir, *gateway_id, *runs_dir, *workspaces_dir, *run_user, *git_protocols;
    char **read_paths, **write_paths; /* NULL-ended */
    char *container_user;             /* NULL = the image's */
    char *registry_secrets;           /* NULL = none */
    char host[256];
    char user_name[64]; /* whom commands run as */
    bool set_ids;
    uid_t uid;
    gid_t gid;
    int64_t booted_us; /* when the host was booted; 0 = unknown */
    uint8_t token_key[TOKEN_KEY_LEN];
    bool has_token_key, is_started, is_leaving;
    orchestrator_stop_fn tell_stop; /* of another gateway's executions */
    void *tell_stop_user;
    struct orphans *orphans; /* from the start on */
    size_t creating;         /* rows being created */
    struct list lives;  /* struct live, from their row's creation until nothing of it is left */
    struct list ops;    /* struct op */
    struct list doubts; /* struct doubt */
    struct leases *leases;
    struct sweeper *sweeper;
    struct queue *queue;
    struct health *health; /* from health_begin on */
    struct audit *audit;   /* from the first refusal on */
    struct tracer *tracer; /* from trace_begin on */
    uint64_t audit_dropped, trace_dropped;
    struct last_use last_use;
};

/*
 * An operation that waits for an answer, first member of its struct. When the orchestrator is freed
 * first, `cancel` tells whoever asked, and the answer that comes later only frees the struct.
 */
struct op {
    struct list node;
    struct orchestrator *o; /* NULL once cancelled */
    void (*cancel)(struct op *op, const struct problem *p);
};
void op_begin(struct orchestrator *o, struct op *op,
              void (*cancel)(struct op *, const struct problem *));
/* At the answer: takes it off the list; false when it was cancelled. */
bool op_end(struct op *op);
void ops_cancel_all(struct orchestrator *o);

/* Fills *p for an error of a store call (ERR_DB…, ERR_TIMEOUT, ERR_LIMIT, …) and returns p->err:
 * a database that does not answer is always a DATABASE_ERROR. */
int problem_store(struct problem *p, int err, const char *error);
/* ERR_NOT_FOUND with the API's words. */
int problem_no_execution(struct problem *p, const char *error);
/* 0 when work is taken; otherwise fills *p (ERR_CLOSED). */
int problem_unless_started(const struct orchestrator *o, struct problem *p, const char *error);

/* "DIR/NAME" allocated, NULL without memory. */
char *path_join(const char *dir, const char *name);
/* "a:b" as an allocated NULL-ended array ("" and NULL: an empty one). NULL without memory. */
char **paths_split(const char *list);
void strings_free(char **strings); /* NULL is fine */

#endif
