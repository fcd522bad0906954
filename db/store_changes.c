/* Changes by the transactions that a snapshot does not show (functions xid8, pg_snapshot). */
#include "db/store_changes.h"

#include "base/err.h"
#include "db/store.h"

#include <string.h>

#define NUMBER_DIGITS_MAX 19 /* below 2^63 */

/* ---- places ---- */

/* Digits up to the character `end`, which is passed over. */
static bool take_number(const char **at, char end, uint64_t *ret)
{
    size_t len = strspn(*at, "0123456789");
    uint64_t n = 0;
    if (len == 0 || len > NUMBER_DIGITS_MAX || (*at)[len] != end)
        return false;
    for (size_t i = 0; i < len; i++)
        n = n * 10 + (uint64_t)((*at)[i] - '0');
    *at += end ? len + 1 : len;
    *ret = n;
    return true;
}

/* Numbers under way, ascending, in [xmin, xmax). */
static bool are_under_way(const char *at, uint64_t xmin, uint64_t xmax)
{
    uint64_t before = 0, n = 0;
    if (*at == '\0')
        return true;
    do {
        bool is_last = !strchr(at, ',');
        if (!take_number(&at, is_last ? '\0' : ',', &n) || n < xmin || n >= xmax || n <= before)
            return false;
        before = n;
        if (is_last)
            return true;
    } while (true);
}

/* Where the snapshot begins; 0: this is no place. */
static size_t snapshot_offset(const char *text)
{
    size_t system = strspn(text, "0123456789");
    const char *at = text + system + 1;
    uint64_t xmin = 0, xmax = 0;
    if (strlen(text) > STORE_PLACE_MAX || system == 0 || system > 20 || text[system] != '/')
        return 0;
    if (!take_number(&at, ':', &xmin) || !take_number(&at, ':', &xmax))
        return 0;
    return xmin > 0 && xmin <= xmax && are_under_way(at, xmin, xmax) ? system + 1 : 0;
}

bool store_place_is_valid(const char *text)
{
    return snapshot_offset(text) > 0;
}

/* ---- changes ---- */

static void on_changes(void *user, int err, const struct db_result *r)
{
    struct store_call c = store_call_take(user);
    /* One row without an execution says that there is none. */
    size_t n = err == 0 ? db_rows(r, 0) : 0;
    if (err == 0 && n == 0)
        err = ERR_DB;
    if (n == 1 && db_is_null(r, 0, 0, 0))
        n = 0;
    struct execution *rows CLEANUP_FREE = n > 0 ? calloc(n, sizeof(*rows)) : NULL;
    if (n > 0 && !rows)
        err = ERR_NOMEM;
    for (size_t i = 0; err == 0 && i < n; i++)
        err = store_read_execution(r, 0, i, &rows[i]);
    if (err)
        c.fn.changes(c.user, err, NULL, false, NULL, 0);
    else
        c.fn.changes(c.user, 0, db_get_text(r, 0, 0, STORE_EXECUTION_COLUMN_COUNT),
                     db_get_i64(r, 0, 0, STORE_EXECUTION_COLUMN_COUNT + 1) != 0, rows, n);
}

int store_changes_fetch(struct db_pool *p, const char *since, const char *created_by, size_t max,
                        store_changes_fn fn, void *user)
{
    /* Numbers at or beyond xmax come from a dump of another cluster. */
    static const struct db_stmt changes = {
        .name = "changes",
        .sql =
            "SELECT e.*, now.system || '/' || now.snapshot::text, "
            "coalesce($2::text = now.system "
            "AND pg_snapshot_xmax($1::text::pg_snapshot) <= pg_snapshot_xmax(now.snapshot), false) "
            "FROM (SELECT (SELECT system_identifier::text FROM pg_control_system()) AS system, "
            "pg_current_snapshot() AS snapshot) now "
            "LEFT JOIN (SELECT " STORE_EXECUTION_SHOWN " FROM executions "
            "WHERE ($3::text IS NULL OR created_by = $3::text) AND execution_key IN "
            "(SELECT execution_key FROM execution_events "
            "WHERE xid >= pg_snapshot_xmin($1::text::pg_snapshot) "
            "AND xid < pg_snapshot_xmax(pg_current_snapshot()) "
            "AND NOT pg_visible_in_snapshot(xid, $1::text::pg_snapshot)) "
            "ORDER BY execution_key LIMIT $4::bigint) e ON $2::text = now.system",
    };
    char system[24] = "";
    size_t at = since ? snapshot_offset(since) : 0;
    if (since && at == 0)
        return ERR_INVALID;
    if (since) {
        memcpy(system, since, at - 1);
        system[at - 1] = '\0';
    }
    const struct db_value params[] = {since ? db_text(since + at) : db_null(), db_text(system),
                                      db_text(created_by), db_i64((int64_t)max)};
    return store_query(p, &changes, params, ARRAY_SIZE(params), on_changes,
                       (struct store_call){{.changes = fn}, user});
}
