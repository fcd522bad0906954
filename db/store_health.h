/*
 * What a reconcile asks PostgreSQL. Every query is bounded: it lists at most STORE_HEALTH_ROWS rows
 * of a kind, and counts no further than STORE_HEALTH_COUNT. Rows are read in the callback.
 */
#ifndef TAILGATE_DB_STORE_HEALTH_H
#define TAILGATE_DB_STORE_HEALTH_H

#include "db/pool.h"

#define STORE_HEALTH_ROWS 200
#define STORE_HEALTH_COUNT 1000000

/* 0: images: image_id, reference. 1: our live executions that are older than settle_ms
 * and were not taken over from another gateway:
 * execution_id. */
MUST_CHECK int store_health_compute(struct db_pool *p, const char *gateway_id, int64_t settle_ms,
                                    db_batch_fn fn, void *user);
/* ids: separated by commas. 0: those of them that are live, whoever's: execution_id. 1: those that
 * have ended: execution_id. */
MUST_CHECK int store_health_known(struct db_pool *p, const char *ids, db_batch_fn fn, void *user);
/* A page of secrets by name: 0: name, key_id, sealed, key_name. */
#define STORE_HEALTH_SECRETS 100
MUST_CHECK int store_health_secrets(struct db_pool *p, const char *after, db_batch_fn fn,
                                    void *user);
/* Removes what belongs to no execution: 0: sealed environments of executions that have ended or are
 * gone: "environment/KEY"; 1: tickets of keys that are gone or revoked: "ticket/…"; 2: idempotency
 * keys: "idempotency-key/…". */
#define STORE_HEALTH_SWEEPS 3
MUST_CHECK int store_health_sweep(struct db_pool *p, db_batch_fn fn, void *user);
/* 0: rights that the role lacks: object, right. 1: how many were looked at. */
MUST_CHECK int store_health_rights(struct db_pool *p, db_batch_fn fn, void *user);
/* 0: findings: kind ("invalid_role", "missing_role", "missing_owner", "orphaned_owner"), resource,
 * what it names. 1: users, resources. */
MUST_CHECK int store_health_owners(struct db_pool *p, db_batch_fn fn, void *user);

#endif
