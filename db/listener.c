/*
 * LISTEN and NOTIFY on one connection. One query at a time:
 *
 *   (re)connected ─▶ LISTEN … ─▶ on_connect ─▶ idle ◀─▶ SELECT pg_notify(…), pg_notify(…), …
 *
 * What notify() is given during a turn waits for its end and goes out together, each pair once.
 */
#include "db/listener.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/str.h"
#include "db/link.h"

#include <string.h>

#define QUEUE_MAX 4096
#define GROUP_MAX 64 /* pairs in one query: one commit for all */
#define BUCKETS 1024
#define SQL_BYTES_MAX 8192
#define STATEMENT_TIMEOUT_MS 10000
/* PostgreSQL's own bounds (NAMEDATALEN, NOTIFY_PAYLOAD_MAX_LENGTH): more would be refused there. */
#define CHANNEL_MAX 63
#define PAYLOAD_MAX 7999

struct hint {
    struct list queued, bucket;
    size_t payload; /* offset into text */
    char text[];    /* channel, NUL, payload, NUL */
};

struct db_listener {
    struct db_link *link;
    struct loop_defer *defer;
    struct buf listen_sql;
    db_notify_fn on_notify;
    loop_fn on_connect;
    void *user;
    struct list queue;
    size_t count;
    struct list buckets[BUCKETS]; /* of the queue, by hash: finds doubles */
    bool listening;               /* LISTEN was answered */
    bool busy;                    /* a query is being answered */
    bool lost;                    /* logged */
    bool freed;
    int depth; /* of our frames on the stack that go on after a callback */
};

/* FNV-1a, 32 bit. */
static uint32_t hash(const char *channel, const char *payload)
{
    uint32_t h = 2166136261u;
    for (const char *s = channel; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    for (const char *s = payload; *s; s++)
        h = (h ^ (unsigned char)*s) * 16777619u;
    return h;
}

static void hint_free(struct db_listener *d, struct hint *h)
{
    list_remove(&h->queued);
    list_remove(&h->bucket);
    d->count--;
    free(h);
}

static void drop_queue(struct db_listener *d)
{
    LIST_FOREACH_SAFE (node, &d->queue)
        hint_free(d, LIST_ENTRY(node, struct hint, queued));
}

static void destroy(struct db_listener *d)
{
    drop_queue(d);
    db_link_free(d->link);
    loop_defer_free(d->defer);
    buf_done(&d->listen_sql);
    free(d);
}

static bool is_queued(const struct list *bucket, const char *channel, const char *payload)
{
    LIST_FOREACH (node, bucket) {
        const struct hint *h = LIST_ENTRY(node, struct hint, bucket);
        if (str_eq(h->text, channel) && str_eq(h->text + h->payload, payload))
            return true;
    }
    return false;
}

void db_listener_notify(struct db_listener *d, const char *channel, const char *payload)
{
    size_t channel_len = strlen(channel), payload_len = strlen(payload);
    if (!d->listening || d->count == QUEUE_MAX || channel_len == 0 || channel_len > CHANNEL_MAX ||
        payload_len > PAYLOAD_MAX)
        return;
    struct list *bucket = &d->buckets[hash(channel, payload) % BUCKETS];
    if (is_queued(bucket, channel, payload))
        return;
    struct hint *h = malloc(sizeof(*h) + channel_len + payload_len + 2);
    if (!h)
        return;
    h->payload = channel_len + 1;
    memcpy(h->text, channel, channel_len + 1);
    memcpy(h->text + h->payload, payload, payload_len + 1);
    list_append(&d->queue, &h->queued);
    list_append(bucket, &h->bucket);
    d->count++;
    loop_defer_schedule(d->defer);
}

/* SELECT pg_notify($1,$2),pg_notify($3,$4)… over the oldest hints. */
static int send_group(struct db_listener *d)
{
    const char *values[2 * GROUP_MAX];
    struct hint *group[GROUP_MAX];
    int n = 0;
    CLEANUP_BUF struct buf sql;
    buf_init(&sql, SQL_BYTES_MAX);
    int r = buf_append_str(&sql, "SELECT ");
    LIST_FOREACH (node, &d->queue) {
        if (n == GROUP_MAX || r < 0)
            break;
        group[n] = LIST_ENTRY(node, struct hint, queued);
        values[2 * n] = group[n]->text;
        values[2 * n + 1] = group[n]->text + group[n]->payload;
        r = buf_printf(&sql, "%spg_notify($%d,$%d)", n ? "," : "", 2 * n + 1, 2 * n + 2);
        n++;
    }
    if (r < 0)
        return r;
    if (!PQsendQueryParams(db_link_pg(d->link), sql.data, 2 * n, NULL, values, NULL, NULL, 0))
        return ERR_DB_AWAY;
    d->busy = true;
    for (int i = 0; i < n; i++)
        hint_free(d, group[i]);
    return db_link_flush(d->link);
}

static void on_defer(void *user)
{
    struct db_listener *d = user;
    if (!d->listening || d->busy || list_is_empty(&d->queue))
        return;
    int r = send_group(d);
    if (r == ERR_DB_AWAY)
        db_link_drop(d->link, PQerrorMessage(db_link_pg(d->link)));
    else if (r < 0)
        drop_queue(d);
}

static void on_up(void *user)
{
    struct db_listener *d = user;
    if (d->lost)
        log_info("database listener is back");
    d->lost = false;
    if (!PQsendQuery(db_link_pg(d->link), d->listen_sql.data) || db_link_flush(d->link) < 0) {
        db_link_drop(d->link, PQerrorMessage(db_link_pg(d->link)));
        return;
    }
    d->busy = true;
}

/* The query's end: NULL from PQgetResult. */
static void query_done(struct db_listener *d)
{
    d->busy = false;
    if (!d->listening) {
        d->listening = true;
        d->on_connect(d->user);
    }
    if (!d->freed)
        loop_defer_schedule(d->defer);
}

/* False: the connection is of no more use. */
static bool take_results(struct db_listener *d)
{
    PGconn *pg = db_link_pg(d->link);
    while (!d->freed && d->busy && !PQisBusy(pg)) {
        PGresult *res = PQgetResult(pg);
        if (!res) {
            query_done(d);
            continue;
        }
        bool failed = PQresultStatus(res) == PGRES_FATAL_ERROR;
        if (failed)
            log_warn("notify refused", "sqlstate", PQresultErrorField(res, PG_DIAG_SQLSTATE),
                     "error", PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY));
        PQclear(res);
        if (failed && (!d->listening || PQstatus(pg) != CONNECTION_OK))
            return false;
    }
    return true;
}

static void on_input(void *user)
{
    struct db_listener *d = user;
    PGconn *pg = db_link_pg(d->link);
    d->depth++;
    bool fine = take_results(d);
    for (PGnotify *n; !d->freed && (n = PQnotifies(pg)) != NULL;) {
        d->on_notify(d->user, n->relname, n->extra);
        PQfreemem(n);
    }
    if (!fine && !d->freed)
        db_link_drop(d->link, "LISTEN was refused");
    if (--d->depth == 0 && d->freed)
        destroy(d);
}

static void on_down(void *user, PGconn *pg, bool was_up, const char *why)
{
    struct db_listener *d = user;
    (void)pg;
    d->listening = d->busy = false;
    drop_queue(d);
    if (!d->lost)
        log_warn(was_up ? "database listener lost" : "database listener cannot connect", "why",
                 why);
    d->lost = true;
}

static int listen_sql(struct db_listener *d, const char *const *channels, size_t count)
{
    int r = count == 0 ? buf_append_str(&d->listen_sql, "SELECT 1") : 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        /* Names of our own; what would need quoting inside quotes is not one. */
        if (str_is_empty(channels[i]) || strchr(channels[i], '"') ||
            strlen(channels[i]) > CHANNEL_MAX)
            return ERR_INVALID;
        r = buf_printf(&d->listen_sql, "LISTEN \"%s\";", channels[i]);
    }
    return r;
}

int db_listener_new(struct loop *l, const char *conninfo, const char *const *channels, size_t count,
                    db_notify_fn on_notify, loop_fn on_connect, void *user,
                    struct db_listener **ret)
{
    static const struct db_link_callbacks callbacks = {on_up, on_input, on_down};
    const struct db_link_opts opts = {.conninfo = conninfo,
                                      .application_name = "tailgated listener",
                                      .statement_timeout_ms = STATEMENT_TIMEOUT_MS};
    struct db_listener *d = calloc(1, sizeof(*d));
    if (!d)
        return ERR_NOMEM;
    d->on_notify = on_notify;
    d->on_connect = on_connect;
    d->user = user;
    list_init(&d->queue);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&d->buckets[i]);
    buf_init(&d->listen_sql, SQL_BYTES_MAX);
    int r = listen_sql(d, channels, count);
    if (r == 0)
        r = loop_defer_new(l, on_defer, d, &d->defer);
    if (r == 0)
        r = db_link_new(l, &opts, &callbacks, d, &d->link);
    if (r < 0) {
        destroy(d);
        return r;
    }
    *ret = d;
    return 0;
}

void db_listener_free(struct db_listener *d)
{
    if (!d || d->freed)
        return;
    d->freed = true;
    if (d->depth == 0)
        destroy(d);
}
