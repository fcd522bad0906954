/*
 * The audit: changes are entered by the transactions that make them (db/store_audit.h); calls that
 * were denied are noted here, off the request's path, and written in batches:
 *
 *   note ─▶ waiting (bounded; the same again only counts) ─1 s▶ one transaction ─▶ gone
 *
 * Refusals of unknown keys are anybody's to make: of each address one entry at once, then one a
 * minute with their number, and of few addresses at a time; what finds no room is counted.
 */
#ifndef TAILGATE_ORCHESTRATOR_AUDIT_H
#define TAILGATE_ORCHESTRATOR_AUDIT_H

#include "base/audit.h"
#include "orchestrator/orchestrator.h"

#define AUDIT_FLUSH_MS 1000
#define AUDIT_UNKNOWN_MS 60000 /* between two entries of unknown keys from one address */
#define AUDIT_UNKNOWN_MAX 32   /* addresses of them at a time */
#define AUDIT_RESOURCE_MAX 256

/* A denied call. action: "secrets.read"; resource "" = none; result: the error's code. is_unknown:
 * nobody that we know made it. */
void audit_denied(struct orchestrator *o, const struct caller *by, const char *action,
                  const char *resource, const char *result, bool is_unknown);
/* Writes what waits now: the server leaves. */
void audit_flush(struct orchestrator *o);
/* The same, and fn once that has its answer; at once when nothing is under way. */
void audit_drain(struct orchestrator *o, loop_fn fn, void *user);

/* Both are valid during the call; newest first. */
typedef void (*audit_list_fn)(void *user, const struct problem *p, const struct audit_entry *rows,
                              size_t n);
/* For POLICY_AUDIT. */
MUST_CHECK int audit_list(struct orchestrator *o, const struct principal *who,
                          const struct audit_filter *f, audit_list_fn fn, void *user,
                          struct problem *p);

/* ---- the orchestrator's ---- */
struct audit;
void audit_free(struct audit *a); /* NULL is fine */

#endif
