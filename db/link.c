/*
 * One libpq connection, kept up. The descriptor may change between two PQconnectPoll calls (next
 * host, TLS given up), even under the same number; so until READY the poll handle lives for one
 * step only.
 */
#include "db/link.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "db/params.h"

#include <string.h>
#include <sys/random.h>

#define CONNECT_TIMEOUT_MS 5000 /* also bounds a look-up: as the readiness probes' patience */
#define BACKOFF_MIN_MS 100
#define BACKOFF_MAX_MS 5000
#define WHY_SIZE 256

/* A look-up on the thread pool; outlives its link when that is freed meanwhile. */
struct lookup {
    struct db_link *link; /* NULL = nobody waits */
    char *host, *port;
    struct db_params_hosts hosts;
    int err;
};

struct db_link {
    struct loop *loop;
    struct db_params params;
    struct db_link_callbacks cb;
    void *user;
    enum db_link_state state;
    PGconn *pg;
    struct loop_poll *poll;
    struct loop_timer *timer; /* first start, time-out of an attempt, backoff */
    struct lookup *lookup;
    int64_t backoff_ms;
    bool writing; /* libpq has bytes that the socket did not take */
};

const char *db_link_state_name(enum db_link_state s)
{
    static const char *const names[] = {"idle", "resolving", "connecting", "ready", "backoff"};
    return (size_t)s < ARRAY_SIZE(names) ? names[s] : "unknown";
}

static void set_state(struct db_link *k, enum db_link_state s)
{
    if (k->state == s)
        return;
    log_debug("database connection", "from", db_link_state_name(k->state), "to",
              db_link_state_name(s));
    k->state = s;
}

/* Between half and all of the backoff, so that many gateways do not come back at once. */
static int64_t next_backoff(struct db_link *k)
{
    unsigned char random = 0;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = 128;
    int64_t wait = k->backoff_ms / 2 + k->backoff_ms * random / 510;
    k->backoff_ms = k->backoff_ms * 2 < BACKOFF_MAX_MS ? k->backoff_ms * 2 : BACKOFF_MAX_MS;
    return wait;
}

/* First line of libpq's message: the rest repeats it for further hosts. */
static void first_line(const char *message, char ret[WHY_SIZE])
{
    size_t len = strcspn(message, "\n");
    if (len >= WHY_SIZE)
        len = WHY_SIZE - 1;
    memcpy(ret, message, len);
    ret[len] = '\0';
}

/* Ends attempt or connection. The link may be freed by on_down: nothing of it is used after. */
static void down(struct db_link *k, const char *why)
{
    PGconn *pg = TAKE_PTR(k->pg);
    bool was_up = k->state == DB_LINK_READY;
    char text[WHY_SIZE];
    first_line(why, text);
    loop_poll_free(TAKE_PTR(k->poll));
    if (k->lookup)
        k->lookup->link = NULL;
    k->lookup = NULL;
    k->writing = false;
    if (was_up)
        k->backoff_ms = BACKOFF_MIN_MS;
    loop_timer_start(k->timer, next_backoff(k), 0);
    set_state(k, DB_LINK_BACKOFF);
    k->cb.on_down(k->user, pg, was_up, *text ? text : "connection lost");
    PQfinish(pg);
}

static void on_poll(void *user, unsigned events, int error);

static int watch(struct db_link *k, unsigned events)
{
    loop_poll_free(TAKE_PTR(k->poll));
    int r = loop_poll_new(k->loop, PQsocket(k->pg), on_poll, k, &k->poll);
    return r < 0 ? r : loop_poll_start(k->poll, events);
}

static void on_notice(void *user, const char *message)
{
    (void)user;
    log_debug("postgres", "notice", message);
}

static void up(struct db_link *k)
{
    if (PQsetnonblocking(k->pg, 1) != 0 || watch(k, LOOP_READ) < 0) {
        down(k, "cannot watch the connection");
        return;
    }
    loop_timer_stop(k->timer);
    k->backoff_ms = BACKOFF_MIN_MS;
    set_state(k, DB_LINK_READY);
    k->cb.on_up(k->user);
}

static void connect_step(struct db_link *k, PostgresPollingStatusType wants)
{
    int r = 0;
    switch (wants) {
    case PGRES_POLLING_READING:
        r = watch(k, LOOP_READ);
        break;
    case PGRES_POLLING_WRITING:
        r = watch(k, LOOP_WRITE);
        break;
    case PGRES_POLLING_OK:
        up(k);
        return;
    default:
        down(k, PQerrorMessage(k->pg));
        return;
    }
    if (r < 0)
        down(k, "cannot watch the connection");
}

static void begin_connect(struct db_link *k, const struct db_params_hosts *hosts)
{
    const char *keywords[PARAMS_MAX], *values[PARAMS_MAX];
    db_params_fill(&k->params, hosts, keywords, values);
    set_state(k, DB_LINK_CONNECTING);
    k->pg = PQconnectStartParams(keywords, values, 0);
    if (!k->pg) {
        down(k, "out of memory");
        return;
    }
    PQsetNoticeProcessor(k->pg, on_notice, NULL);
    /* libpq: behave after the start as if PQconnectPoll had said "writing". */
    connect_step(k,
                 PQstatus(k->pg) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING);
}

static void lookup_free(struct lookup *u)
{
    if (!u)
        return;
    db_params_hosts_done(&u->hosts);
    free(u->host);
    free(u->port);
    free(u);
}

static void lookup_work(void *user)
{
    struct lookup *u = user;
    u->err = db_params_lookup(u->host, u->port, &u->hosts);
}

static void lookup_done(void *user, int err)
{
    struct lookup *u = user;
    struct db_link *k = u->link;
    if (k) {
        k->lookup = NULL;
        if (err == 0 && u->err == 0)
            begin_connect(k, &u->hosts);
        else
            down(k, "host name not found");
    }
    lookup_free(u);
}

static int begin_lookup(struct db_link *k)
{
    const char *port = db_params_get(&k->params, "port");
    if (!port)
        port = getenv("PGPORT");
    struct lookup *u = calloc(1, sizeof(*u));
    if (!u)
        return ERR_NOMEM;
    db_params_hosts_init(&u->hosts);
    u->link = k;
    int r = str_set(&u->host, k->params.host);
    if (r == 0)
        r = str_set(&u->port, port ? port : "");
    if (r == 0)
        r = loop_work_submit(k->loop, lookup_work, lookup_done, u);
    if (r < 0) {
        lookup_free(u);
        return r;
    }
    k->lookup = u;
    set_state(k, DB_LINK_RESOLVING);
    return 0;
}

static void on_timer(void *user)
{
    struct db_link *k = user;
    if (k->state == DB_LINK_RESOLVING || k->state == DB_LINK_CONNECTING) {
        down(k, "no answer in time");
        return;
    }
    loop_timer_start(k->timer, CONNECT_TIMEOUT_MS, 0);
    if (!db_params_need_lookup(&k->params))
        begin_connect(k, NULL);
    else if (begin_lookup(k) < 0)
        down(k, "cannot look up the host name");
}

static void on_ready_event(struct db_link *k, unsigned events, int error)
{
    if ((error || (events & LOOP_READ)) && !PQconsumeInput(k->pg)) {
        down(k, PQerrorMessage(k->pg));
        return;
    }
    if (k->writing && db_link_flush(k) < 0) {
        down(k, PQerrorMessage(k->pg));
        return;
    }
    if (error || (events & LOOP_READ))
        k->cb.on_input(k->user);
}

static void on_poll(void *user, unsigned events, int error)
{
    struct db_link *k = user;
    if (k->state == DB_LINK_READY) {
        on_ready_event(k, events, error);
        return;
    }
    loop_poll_free(TAKE_PTR(k->poll));
    connect_step(k, PQconnectPoll(k->pg));
}

int db_link_new(struct loop *l, const struct db_link_opts *opts, const struct db_link_callbacks *cb,
                void *user, struct db_link **ret)
{
    struct db_link *k = calloc(1, sizeof(*k));
    if (!k)
        return ERR_NOMEM;
    k->loop = l;
    k->cb = *cb;
    k->user = user;
    k->backoff_ms = BACKOFF_MIN_MS;
    int r = db_params_init(&k->params, opts->conninfo, opts->application_name,
                           opts->statement_timeout_ms, opts->settings);
    if (r == 0)
        r = loop_timer_new(l, on_timer, k, &k->timer);
    if (r < 0) {
        db_link_free(k);
        return r;
    }
    loop_timer_start(k->timer, 0, 0);
    *ret = k;
    return 0;
}

void db_link_free(struct db_link *k)
{
    if (!k)
        return;
    if (k->lookup)
        k->lookup->link = NULL;
    loop_timer_free(k->timer);
    loop_poll_free(k->poll);
    PQfinish(k->pg);
    db_params_done(&k->params);
    free(k);
}

PGconn *db_link_pg(const struct db_link *k)
{
    return k->state == DB_LINK_READY ? k->pg : NULL;
}

bool db_link_is_ready(const struct db_link *k)
{
    return k->state == DB_LINK_READY;
}

int db_link_flush(struct db_link *k)
{
    int left = PQflush(k->pg);
    if (left < 0)
        return ERR_DB_AWAY;
    if (k->writing == (left > 0))
        return 0;
    k->writing = left > 0;
    return loop_poll_start(k->poll, k->writing ? LOOP_READ | LOOP_WRITE : LOOP_READ) < 0
               ? ERR_DB_AWAY
               : 0;
}

void db_link_drop(struct db_link *k, const char *why)
{
    if (k->state == DB_LINK_READY)
        down(k, why);
}
