/*
 * What health_*.c share: a check under way, and how it tells of what it found.
 *
 * A check belongs to its reconcile until it is over; answers that come later find it dead and only
 * drop what they hold of it.
 */
#ifndef TAILGATE_ORCHESTRATOR_HEALTH_INTERNAL_H
#define TAILGATE_ORCHESTRATOR_HEALTH_INTERNAL_H

#include "orchestrator/health.h"
#include "orchestrator/internal.h"

#define HEALTH_FILES_MAX 8

struct health;

/* A file or directory of ours; work looks at it off the loop. */
struct health_file {
    char path[512];
    unsigned forbidden, needed; /* bits of its mode */
    bool is_dir, is_optional;
    /* what was found */
    int error; /* errno; 0 = none */
    unsigned mode;
    long long owner;
    bool is_repaired;
};

struct health_check {
    struct health *h; /* NULL: over */
    const struct health_step *step;
    struct loop_timer *timer; /* its end, at the latest */
    struct loop_timer *turn;  /* the next slice of a long list */
    unsigned refs;            /* the reconcile's, and one a question under way */
    bool asks_engine;
    struct buf names; /* each with its NUL, or keys */
    size_t at;        /* in names */
    struct buf gone;  /* names to remove */
    struct health_file files[HEALTH_FILES_MAX];
    size_t file_count;
    long long uid;
    char dir[512], after[256];
};

struct health_step {
    const char *resource_type, *name;
    /* Begins it; it ends with health_done, now or later. An error: nothing is under way. */
    int (*begin)(struct health_check *c);
};

struct health_waiter;

struct health {
    struct orchestrator *o;
    struct loop_timer *schedule, *next;
    bool is_running, engine_away;
    size_t step;
    struct health_check *check;
    struct health_report report;
    struct buf images; /* "ID\0REFERENCE\0" */
    struct list waiters;
};

/* ---- health.c ---- */
/* Around each question: hold before it is asked; release in its answer: false when the check is
 * over (c may be freed). A question that was refused is released too. */
void health_hold(struct health_check *c);
bool health_release(struct health_check *c);
/* The same of the engine's, which are taken back at the end. */
void health_hold_engine(struct health_check *c);
bool health_release_engine(struct health_check *c);
/* The check is over: the next one follows. c is freed with its last question. */
void health_done(struct health_check *c);
/* The same, with the issue that it could not be made. */
void health_failed(struct health_check *c, int err, const char *details);

/* ---- health_report.c ---- */
void health_report_init(struct health_report *r);
void health_report_done(struct health_report *r);
/* Adds an issue that stays. */
void health_issue(struct health_report *r, enum health_severity severity, const char *type,
                  const char *id, const char *message, const char *action);
/* Adds one that was put right. */
void health_repaired(struct health_report *r, const char *type, const char *id, const char *message,
                     const char *action);
/* To a list of names; what has no room is left out. */
void health_name(struct buf *names, const char *name);

/* ---- the checks ---- */
int health_check_engine(struct health_check *c);
int health_check_rows(struct health_check *c);
int health_check_runners(struct health_check *c);
int health_check_images(struct health_check *c);
int health_check_containers(struct health_check *c);
int health_check_directories(struct health_check *c);
int health_check_sweep(struct health_check *c);
int health_check_secrets(struct health_check *c);
int health_check_rights(struct health_check *c);
int health_check_files(struct health_check *c);
int health_check_owners(struct health_check *c);

#endif
