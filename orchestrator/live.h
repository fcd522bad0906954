/*
 * A live execution of this gateway: its row, run directory, feed and runner, and what happens to
 * it.
 *
 *   new ─▶ launched or adopted ─▶ … events … ─▶ over (terminal state committed, or forgotten)
 *       ─▶ its runner has ended ─▶ run directory removed, workspace marked, freed
 *
 * All events end in live_event, which asks lifecycle.h what follows and queues that at the feed. An
 * execution whose feed cannot be used is ended in PostgreSQL directly (ending.c). Freed only in its
 * own timer, so every callback may rely on it.
 */
#ifndef TAILGATE_ORCHESTRATOR_LIVE_H
#define TAILGATE_ORCHESTRATOR_LIVE_H

#include "orchestrator/internal.h"
#include "orchestrator/lifecycle.h"
#include "orchestrator/plan.h"

#define LIVE_LOOK_MS 1000 /* a silent run whose runner is not our child */

struct live;
struct redactor_job;
struct store_launch;

/* Somebody who waits until a state is committed. Called once, taken off before. e NULL: it will not
 * be (forgotten). */
struct live_waiter {
    struct list node;
    int64_t version;
    void (*fn)(struct live_waiter *w, const struct execution *e);
};

struct live {
    struct list node; /* orchestrator.lives */
    struct orchestrator *o;
    struct execution row; /* state: the latest committed */
    char *state_dir;      /* that it is at home in */
    char *run_dir, *workspace;
    struct plan plan;                  /* until its runner has begun */
    struct feed *feed;                 /* NULL: not open, or of no more use */
    struct redactor_job *redactor_job; /* the feed waits for it */
    struct loop_timer *timer;
    struct list waiters;
    struct run_step pending[RUN_STEPS_MAX]; /* decided, not yet taken by the feed (no memory) */
    size_t pending_count;
    char request_id[64]; /* of the pending steps */
    bool is_starting;    /* the engine has not answered yet */
    bool is_attached;    /* the engine will say when the runner ends */
    bool is_gone;        /* the runner has ended; what is left is read */
    bool is_breaking;    /* its log cannot be kept: the runner is told to stop */
    bool is_over;        /* terminal state committed */
    bool is_forgotten;   /* another gateway's now */
    bool is_ending;      /* ending.c has a statement in flight */
    bool is_adopted;
    bool is_asking; /* the engine is asked why it ended */
    bool has_exit;  /* `exit` waits for the answer */
    struct spool_exit exit;
    int64_t stopping_since_ms; /* 0 = it was not told to stop */
    enum run_event end_event;  /* of ending.c */
    unsigned gone_looks;
    uint64_t seen_seq;  /* last_seq at the latest look */
    int64_t stop_at_ms; /* when the runner is told (again) to stop; 0 = nobody wants it to */
};

/* row: copied. state_dir: where its run directory and workspace are. Registers it. ERR_NOMEM. */
MUST_CHECK int live_new_at(struct orchestrator *o, const char *state_dir,
                           const struct execution *row, struct live **ret);
/* The same in our own. */
MUST_CHECK int live_new(struct orchestrator *o, const struct execution *row, struct live **ret);
struct live *live_find(const struct orchestrator *o, int64_t key); /* NULL: none */
/* Leaves its runner alone. Not inside a callback of its own. */
void live_free(struct live *l);

/* Opens the run directory's spool and reads on from the row's offset, what the plan knows as secret
 * left out. */
MUST_CHECK int live_open_feed(struct live *l);
/* Asks the engine to start the runner. A failure is an event. */
void live_start(struct live *l);
/* The runner may have ended: looks, and goes on from there. */
void live_look(struct live *l);
/* Tells the runner to stop, now and again until it has ended. */
void live_stop(struct live *l);
/* The runner is dead: reads to the end, then it is lost unless an exit record was there. */
void live_set_gone(struct live *l);

/* The state after everything decided. */
const struct exec_state *live_state(const struct live *l);
/* What follows from the event; number of states queued. line (NULL = none): a system line before
 * them, given out only when there are any. */
size_t live_event(struct live *l, const struct run_input *in, const char *request_id,
                  const char *line);
/* live_event with the time set. */
size_t live_fail(struct live *l, enum run_event event, const char *line);
/* Why it is lost: the runner died, or the host was booted since the start. */
enum run_event live_lost_event(const struct live *l);
/* w->fn is called once version is committed (at once when it is already: not inside this call). */
void live_wait(struct live *l, struct live_waiter *w, int64_t version);
/* A state was committed and published: logs, answers waiters, acts on it. */
void live_committed(struct live *l, const struct exec_state *s);
/* Not ours any more. */
void live_forget(struct live *l);
/* Its timer now. */
void live_poke(struct live *l);
/* Readers learn a state that was committed without a feed. */
void row_publish(struct orchestrator *o, const struct execution *row);
/* Answers those who wait for a version up to this. */
void live_answer_waiters(struct live *l, int64_t version, const struct execution *e);
/* Hands what was decided to the feed; what it has no memory for stays for the next tick. */
void live_push_pending(struct live *l);

/* ---- live_runner.c ---- */
bool live_runner_lives(const struct live *l);
void live_tick(void *user);

/* ---- live_verdict.c ---- */
/* The exit record was read. Who was killed without being stopped may have run out of memory: then
 * the engine is asked first. */
void live_exited(struct live *l, const struct spool_exit *x);
/* Its runner is dead, all it wrote is read and no exit record was there. */
void live_lost(struct live *l);

/* ---- launch.c ---- */
/* Makes run directory, feed, workspace and spec, then starts. The plan is taken over. A failure is
 * an event. */
void live_launch(struct live *l, struct plan *plan);
/* The same for one whose row was read: opens what was sealed for it. */
void live_resume(struct live *l, const struct store_launch *launch);
/* The same for one that has its plan already. */
void live_launch_again(struct live *l);
/* With its feed open: makes workspace and spec (again), then starts. */
void live_begin(struct live *l);
/* Takes the plan of a row over. ERR_NOMEM; otherwise the execution cannot go on: its runner is told
 * to stop, it is ended, and the error (ERR_NOT_FOUND, ERR_CORRUPT) is returned. */
MUST_CHECK int live_take_plan(struct live *l, const struct store_launch *launch);

/* ---- ending.c ---- */
/* Ends it in PostgreSQL without its feed, which is freed; tried until it is done. */
void live_end_directly(struct live *l, enum run_event event);
/* Goes on with that. */
void live_ending_tick(struct live *l);

/* ---- doubts.c ---- */
struct doubt;
/* A row may have been created although PostgreSQL did not answer: it is looked for, and ended. */
void doubt_note(struct orchestrator *o, const char *email, uint64_t random, int64_t asked_us);
/* Whether that row is one of those. */
bool doubt_is_about(const struct orchestrator *o, const struct execution_id *id);
void doubts_look(struct orchestrator *o); /* with each renewal of the lease */
void doubts_free(struct orchestrator *o);

/* ---- leftovers.c ---- */
/* Removes the run directories of executions that have ended; at the start, after the adoption. */
void leftovers_look(struct orchestrator *o);

#endif
