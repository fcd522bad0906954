/*
 * One libpq connection on the loop, kept up: what pool, listener and migrations have in common.
 * Internal to db/. Name look-ups run on the thread pool; nothing here blocks.
 *
 *   db_link_new ─▶ IDLE ─▶ RESOLVING ─▶ CONNECTING ─▶ READY
 *                 ▲         │             │          │ lost, db_link_drop
 *                 │         ▼             ▼          ▼
 *                 └─────── BACKOFF (0.1 s … 5 s, jittered) ◀
 */
#ifndef TAILGATE_DB_LINK_H
#define TAILGATE_DB_LINK_H

#include "base/compiler.h"
#include "base/loop.h"

#include <libpq-fe.h>
#include <stdbool.h>

enum db_link_state {
    DB_LINK_IDLE,
    DB_LINK_RESOLVING,
    DB_LINK_CONNECTING,
    DB_LINK_READY,
    DB_LINK_BACKOFF
};
const char *db_link_state_name(enum db_link_state s);

struct db_link_callbacks {
    /* READY. */
    void (*on_up)(void *user);
    /* Bytes arrived and were consumed: PQisBusy, PQgetResult, PQnotifies. */
    void (*on_input)(void *user);
    /*
     * An attempt failed (was_up false) or the connection was lost; pg (NULL when it never was)
     * still holds what arrived before and is gone after the call. why: one line for the log.
     */
    void (*on_down)(void *user, PGconn *pg, bool was_up, const char *why);
};

struct db_link_opts {
    const char *conninfo;
    const char *application_name; /* NULL = "tailgated" */
    int64_t statement_timeout_ms; /* on the server; 0 = none */
    const char *settings;         /* more for the session: "-c name=value …"; NULL = none */
};

struct db_link;
/* Connects from the next turn on, and again after each loss. ERR_INVALID: conninfo. */
MUST_CHECK int db_link_new(struct loop *l, const struct db_link_opts *opts,
                           const struct db_link_callbacks *cb, void *user, struct db_link **ret);
/* Also inside the callbacks. */
void db_link_free(struct db_link *k);
/* NULL unless READY. */
PGconn *db_link_pg(const struct db_link *k);
bool db_link_is_ready(const struct db_link *k);
/* Sends what libpq has buffered, the rest when the socket takes it. ERR_DB_AWAY: lost; the caller
 * calls db_link_drop. */
MUST_CHECK int db_link_flush(struct db_link *k);
/* Closes the connection, calls on_down and tries again later. Nothing unless READY. */
void db_link_drop(struct db_link *k, const char *why);

#endif
