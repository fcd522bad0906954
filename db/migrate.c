/*
 * Applies the migrations that a database lacks, on a connection of its own.
 *
 *   CONNECT ─▶ LOCK (advisory, waits for other gateways) ─▶ TABLE ─▶ VERSION ─▶ APPLY … ─▶ done
 *
 * Each migration and its row in schema_migrations are one simple query, which PostgreSQL runs as
 * one transaction. Closing the connection gives the lock back and rolls back what was not finished.
 */
#include "db/migrate.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "db/link.h"

/* "tailgate" in ASCII: no execution key comes near it (store_logs.c locks those). */
#define LOCK_SQL "SELECT pg_advisory_lock(8386654058741523557)"
#define TABLE_SQL                                       \
    "CREATE TABLE IF NOT EXISTS schema_migrations ("    \
    "version integer PRIMARY KEY, name text NOT NULL, " \
    "applied_at timestamptz NOT NULL DEFAULT now())"
#define VERSION_SQL "SELECT coalesce(max(version), 0) FROM schema_migrations"
#define CONNECT_PATIENCE_MS 5000 /* a server that is just starting up */
#define SQL_BYTES_MAX (1u << 20)

enum phase { PHASE_CONNECT, PHASE_LOCK, PHASE_TABLE, PHASE_VERSION, PHASE_APPLY };

struct migrate {
    const struct db_migration *list;
    size_t count;
    size_t next; /* index of the migration being applied */
    struct db_link *link;
    enum phase phase;
    int64_t give_up_ms;
    int applied;
    int err; /* of the query that is being answered */
    int64_t version;
    db_migrate_fn fn;
    void *user;
};

static void end(struct migrate *m, int err)
{
    if (err == 0)
        log_info("database schema", "version", LOG_NUM(m->count), "applied", LOG_NUM(m->applied));
    db_link_free(m->link);
    m->fn(m->user, err, m->applied);
    free(m);
}

/* False: m is gone. */
static bool send(struct migrate *m, enum phase phase, const char *sql)
{
    m->phase = phase;
    m->err = 0;
    if (PQsendQuery(db_link_pg(m->link), sql) && db_link_flush(m->link) == 0)
        return true;
    log_error("migration lost its connection");
    end(m, ERR_DB_AWAY);
    return false;
}

static bool apply_next(struct migrate *m)
{
    if (m->next == m->count) {
        end(m, 0);
        return false;
    }
    const struct db_migration *v = &m->list[m->next];
    CLEANUP_BUF struct buf sql;
    buf_init(&sql, SQL_BYTES_MAX);
    int r = buf_printf(&sql, "%s\n;INSERT INTO schema_migrations (version, name) VALUES (%d, '%s')",
                       v->sql, v->version, v->name);
    if (r < 0) {
        end(m, r);
        return false;
    }
    log_info("applying migration", "name", v->name);
    return send(m, PHASE_APPLY, sql.data);
}

/* After all answers to the query of this phase. */
static bool next_phase(struct migrate *m)
{
    if (m->err < 0) {
        end(m, m->err);
        return false;
    }
    switch (m->phase) {
    case PHASE_CONNECT:
        return send(m, PHASE_LOCK, LOCK_SQL);
    case PHASE_LOCK:
        return send(m, PHASE_TABLE, TABLE_SQL);
    case PHASE_TABLE:
        return send(m, PHASE_VERSION, VERSION_SQL);
    case PHASE_VERSION:
        if (m->version < 0 || (size_t)m->version > m->count) {
            log_error("the database is newer than this program", "version", LOG_NUM(m->version),
                      "known", LOG_NUM(m->count));
            end(m, ERR_CONFLICT);
            return false;
        }
        m->next = (size_t)m->version;
        return apply_next(m);
    case PHASE_APPLY:
        m->next++;
        m->applied++;
        return apply_next(m);
    }
    return false;
}

static void take(struct migrate *m, const PGresult *res)
{
    ExecStatusType status = PQresultStatus(res);
    if (status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY)
        return;
    if (status == PGRES_TUPLES_OK) {
        if (m->phase == PHASE_VERSION && PQntuples(res) == 1 &&
            str_to_i64(PQgetvalue(res, 0, 0), 0, INT32_MAX, &m->version) < 0)
            m->err = ERR_DB;
        return;
    }
    if (m->err == 0)
        log_error("migration refused", "name",
                  m->phase == PHASE_APPLY ? m->list[m->next].name : NULL, "sqlstate",
                  PQresultErrorField(res, PG_DIAG_SQLSTATE), "error",
                  PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY), "position",
                  PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION));
    m->err = ERR_DB;
}

static void on_up(void *user)
{
    (void)next_phase(user);
}

static void on_input(void *user)
{
    struct migrate *m = user;
    PGconn *pg = db_link_pg(m->link);
    while (m->phase != PHASE_CONNECT && !PQisBusy(pg)) {
        PGresult *res = PQgetResult(pg);
        if (!res) {
            if (!next_phase(m))
                return;
            continue;
        }
        bool alive = PQstatus(pg) == CONNECTION_OK;
        if (alive)
            take(m, res);
        PQclear(res);
        if (!alive) {
            db_link_drop(m->link, PQerrorMessage(pg));
            return;
        }
    }
}

static void on_down(void *user, PGconn *pg, bool was_up, const char *why)
{
    struct migrate *m = user;
    (void)pg;
    if (!was_up && clock_mono_ms() < m->give_up_ms)
        return;
    log_error(was_up ? "migration lost its connection" : "database cannot be reached", "why", why);
    end(m, ERR_DB_AWAY);
}

int db_migrate_list(struct loop *l, const char *conninfo, const struct db_migration *list,
                    size_t count, db_migrate_fn fn, void *user)
{
    static const struct db_link_callbacks callbacks = {on_up, on_input, on_down};
    const struct db_link_opts opts = {.conninfo = conninfo,
                                      .application_name = "tailgated migrate"};
    struct migrate *m = calloc(1, sizeof(*m));
    if (!m)
        return ERR_NOMEM;
    m->list = list;
    m->count = count;
    m->fn = fn;
    m->user = user;
    m->give_up_ms = clock_mono_ms() + CONNECT_PATIENCE_MS;
    int r = db_link_new(l, &opts, &callbacks, m, &m->link);
    if (r < 0)
        free(m);
    return r;
}

int db_migrate(struct loop *l, const char *conninfo, db_migrate_fn fn, void *user)
{
    return db_migrate_list(l, conninfo, db_migrations, db_migrations_count, fn, user);
}
