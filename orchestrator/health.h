/*
 * Reconcile: what PostgreSQL says is held against what is there: runners, containers, images, run
 * directories, sealed values, rights, files, owners. What can be repaired is, what cannot is an
 * issue of the report. One at a time: who asks while one is under way gets its report.
 *
 *   asked (audit row committed), or the schedule ─▶ check ─▶ check ─▶ … ─▶ report
 *                                                    └(timeout: an issue)┘
 */
#ifndef TAILGATE_ORCHESTRATOR_HEALTH_H
#define TAILGATE_ORCHESTRATOR_HEALTH_H

#include "base/health.h"
#include "orchestrator/orchestrator.h"

/* Begins the schedule (opts.reconcile_interval_ms; 0 = none). ERR_NOMEM. */
MUST_CHECK int health_begin(struct orchestrator *o);

/* report is valid during the call; NULL when p is set. */
typedef void (*health_fn)(void *user, const struct problem *p, const struct health_report *report);
/* For POLICY_RECONCILE; health_begin was called. ERR_FORBIDDEN, ERR_CLOSED, ERR_DB*. */
MUST_CHECK int health_reconcile(struct orchestrator *o, const struct caller *by, health_fn fn,
                                void *user, struct problem *p);

/* What /readyz?verbose lists. */
#define HEALTH_READY_LINES 4
typedef void (*health_ready_fn)(void *user, const struct health_line *lines, size_t n);
/* fn is called once, later. ERR_NOMEM. */
MUST_CHECK int health_ready(struct orchestrator *o, health_ready_fn fn, void *user);

/* ---- the orchestrator's ---- */
struct health;
void health_free(struct health *h); /* NULL is fine */

#endif
