/*
 * What the stores share: a query whose answer is turned into rows before the caller's callback.
 * Internal to db/.
 */
#ifndef TAILGATE_DB_STORE_H
#define TAILGATE_DB_STORE_H

#include "db/pool.h"
#include "db/store_api_keys.h"
#include "db/store_audit.h"
#include "db/store_changes.h"
#include "db/store_executions.h"
#include "db/store_gateways.h"
#include "db/store_images.h"
#include "db/store_keys.h"
#include "db/store_logs.h"
#include "db/store_runs.h"
#include "db/store_secrets.h"
#include "db/store_tickets.h"
#include "db/store_trace.h"
#include "db/store_users.h"

/* As in executions_live's predicate: the planner takes that index only for these very words. */
/* Of changes to images ("imag"); shared by runs of a registered image. */
#define STORE_IMAGES_LOCK "1768776039"
#define STORE_LIVE "('PENDING', 'STARTING', 'RUNNING', 'TERMINATING')"

/* The order of store_read_execution. */
#define STORE_EXECUTION_COLUMNS                                                              \
    "execution_key, execution_id, status, version, exit_code, signal, reason, "              \
    "tg_us(created_at), tg_us(completed_at), last_seq, command, image_id, created_by, "      \
    "created_by_request_id, modified_by_request_id, owner, fence, spool_offset, log_bytes, " \
    "timeout_s, grace_s, tty"
#define STORE_EXECUTION_COLUMN_COUNT 22
/* The same as people are shown them: of a live one whose owner has been without a lease for longer
 * than one more, nobody knows how it is. Never stored. */
#define STORE_EXECUTION_SHOWN                                                                     \
    "execution_key, execution_id, status, version, exit_code, signal, "                           \
    "CASE WHEN status IN " STORE_LIVE " AND EXISTS (SELECT FROM gateways g WHERE g.gateway_id = " \
    "executions.owner AND g.heartbeat_at + 2 * g.lease_ms * interval '1 millisecond' < now()) "   \
    "THEN '" EXEC_REASON_UNREACHABLE "' ELSE reason END AS reason, "                              \
    "tg_us(created_at), tg_us(completed_at), last_seq, command, image_id, created_by, "           \
    "created_by_request_id, modified_by_request_id, owner, fence, spool_offset, log_bytes, "      \
    "timeout_s, grace_s, tty"

/* Rows of a query named `rows` (STORE_EXECUTION_COLUMNS), with what was sealed for them. */
#define STORE_WITH_SEALED(rows)                        \
    "SELECT " rows ".*, v.key_id, v.sealed FROM " rows \
    " LEFT JOIN execution_environments v ON v.execution_key = " rows ".execution_key"

/* Whom a statement's handler answers. */
struct store_call {
    union {
        store_execution_fn execution;
        store_executions_fn executions;
        store_created_fn created;
        store_earlier_fn earlier;
        store_launches_fn launches;
        store_chunks_fn chunks;
        store_changes_fn changes;
        store_strays_fn strays;
        store_principal_fn principal;
        store_ticket_fn ticket;
        store_images_fn images;
        store_secrets_fn secrets;
        store_secret_done_fn done;
        store_sealed_fn sealed;
        store_audit_fn audit;
        store_trace_fn trace;
        store_users_fn users;
        store_claim_fn claim;
        store_api_keys_fn api_keys;
        store_revocations_fn revocations;
        db_batch_fn batch;
    } fn;
    void *user;
};

/* handler's user is a copy of call: it begins with store_call_take. b is taken over. */
MUST_CHECK int store_submit(struct db_pool *p, struct db_batch *b, db_batch_fn handler,
                            struct store_call call);
MUST_CHECK int store_query(struct db_pool *p, const struct db_stmt *s,
                           const struct db_value *params, size_t n, db_batch_fn handler,
                           struct store_call call);
struct store_call store_call_take(void *user);
/* The row's strings are the answer's. ERR_CORRUPT. */
MUST_CHECK int store_read_execution(const struct db_result *r, size_t stmt, size_t row,
                                    struct execution *ret);
/* Handler of one STORE_WITH_SEALED; answers store_call.fn.launches. */
void store_on_launches(void *user, int err, const struct db_result *r);
/* Handler of a query whose row is user_key, key_id, role, email, revoked; none: ERR_BAD_KEY. */
void store_on_key(void *user, int err, const struct db_result *r);

#endif
