/*
 * GET /executions: newest first, read in pages. A list of up to WHOLE_MAX rows is collected and
 * then answered, so that its Link header can name where it stopped; a longer one, or all (limit=0),
 * is streamed: the next page is read when the socket has taken the one before.
 */
#include "gateway/executions_list.h"

#include "base/str.h"
#include "gateway/executions.h"
#include "gateway/health.h"
#include "gateway/http_link.h"
#include "gateway/server.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>

#define LIMIT_DEFAULT 10
#define WHOLE_MAX 1000
#define PAGE_ROWS 100
/* Of a collected list's body. A list that reaches it stops early; its Link leads on. */
#define WHOLE_BYTES_MAX (4u << 20)
/* Of one page's rows: a command is at most 128 KiB, six times that in JSON. */
#define PAGE_BYTES_MAX (128u << 20)

static const char FAILED[] = "failed to list executions";

struct listing {
    struct http_request *request; /* owns this */
    struct execution_filter filter;
    bool streams, ended, fetching, failed, has_rows, stopped_early;
    int64_t left;     /* rows still wanted; INT64_MAX = all */
    struct buf page;  /* JSON of the rows that were read */
    size_t page_sent; /* of it, streamed */
};

static void listing_free(void *user)
{
    struct listing *l = user;
    buf_done(&l->page);
    free(l);
}

/* ---- the query ---- */

int executions_list_parse_status(const char *text, unsigned *ret_mask, struct problem *p)
{
    unsigned mask = 0;
    for (const char *at = text; *at;) {
        size_t len = strcspn(at, ",");
        char name[16];
        enum exec_status status;
        if (len > 0) {
            if (len >= sizeof(name))
                len = sizeof(name) - 1;
            memcpy(name, at, len);
            name[len] = '\0';
            if (exec_status_parse(name, &status))
                return problem_set(p, ERR_INVALID, "invalid status parameter",
                                   "status must be a list of PENDING, STARTING, RUNNING, "
                                   "TERMINATING, SUCCEEDED, FAILED, STOPPED");
            mask |= 1u << status;
        }
        at += strcspn(at, ",");
        at += *at == ',';
    }
    if (mask & 1u << EXEC_STARTING)
        mask |= 1u << EXEC_PENDING;
    *ret_mask = mask;
    return 0;
}

static int query_time(const struct http_request *r, const char *name, int64_t *ret,
                      struct problem *p)
{
    char error[64];
    const char *text = http_query(r, name);
    if (str_is_empty(text) || str_parse_time(text, ret) == 0)
        return 0;
    (void)snprintf(error, sizeof(error), "invalid %s parameter", name);
    return problem_set(p, ERR_INVALID, error, "%s must be a time such as 2026-01-02T03:04:05Z",
                       name);
}

static int parse_query(const struct http_request *r, struct listing *l, struct problem *p)
{
    int64_t limit = LIMIT_DEFAULT;
    const char *created_by = http_query(r, "created_by");
    const char *status = http_query(r, "status");
    const char *cursor = http_query(r, "cursor");
    int err = executions_query_number(r, "limit", &limit, p);
    if (!err && status)
        err = executions_list_parse_status(status, &l->filter.status_mask, p);
    if (!err)
        err = query_time(r, "since", &l->filter.since_us, p);
    if (!err)
        err = query_time(r, "until", &l->filter.until_us, p);
    if (!err && !str_is_empty(cursor) && str_to_i64(cursor, 1, INT64_MAX, &l->filter.before_key))
        err = problem_set(p, ERR_INVALID, "invalid cursor parameter",
                          "cursor must come from a Link header");
    if (!str_is_empty(created_by))
        l->filter.created_by = created_by;
    l->left = limit == 0 ? INT64_MAX : limit;
    l->streams = limit == 0 || limit > WHOLE_MAX;
    return err;
}

/* ---- reading ---- */

static int append_rows(struct listing *l, const struct execution *rows, size_t n, size_t bytes_max)
{
    for (size_t i = 0; i < n && l->left > 0; i++) {
        if (l->page.len >= bytes_max) {
            l->left = 0;
            l->stopped_early = true;
            return 0;
        }
        int err = l->has_rows ? buf_append_char(&l->page, ',') : 0;
        if (!err)
            err = wire_execution(&l->page, &rows[i], HEALTH_PROVIDER);
        if (err)
            return err;
        l->has_rows = true;
        l->left--;
        l->filter.before_key = rows[i].key;
    }
    return 0;
}

static size_t page_limit(const struct listing *l)
{
    /* One more than wanted tells whether there is a next page. */
    int64_t wanted = l->streams || l->left == INT64_MAX ? l->left : l->left + 1;
    return wanted <= PAGE_ROWS ? (size_t)wanted : PAGE_ROWS + 1;
}

static void on_page(void *user, const struct problem *p, const struct execution *rows, size_t n);

static int fetch(struct listing *l, struct problem *p)
{
    struct http_request *r = l->request;
    l->filter.limit = page_limit(l);
    l->fetching = true;
    http_ref(r);
    int err = orchestrator_list(server_orchestrator(http_server(r)), http_principal(r), &l->filter,
                                on_page, r, p);
    if (err) {
        l->fetching = false;
        http_unref(r);
    }
    return err;
}

/* ---- collected ---- */

static int add_link(struct listing *l)
{
    static const char *const kept[] = {"limit", "status", "created_by", "since", "until"};
    return http_add_next_link(l->request, "/api/v1/executions", kept, ARRAY_SIZE(kept),
                              l->filter.before_key);
}

static void answer_whole(struct listing *l, bool more)
{
    struct http_request *r = l->request;
    struct problem p;
    int err = buf_append_char(&l->page, ']');
    if (!err && more)
        err = add_link(l);
    if (err) {
        (void)problem_set(&p, ERR_INTERNAL, FAILED, "the answer could not be made");
        http_respond_problem(r, &p);
        return;
    }
    http_respond(r, 200, NULL, l->page.data, l->page.len);
}

static void collect(struct listing *l, const struct execution *rows, size_t n)
{
    struct problem p = {0};
    bool was_last = n < l->filter.limit;
    int64_t before = l->left;
    if (append_rows(l, rows, n, WHOLE_BYTES_MAX)) {
        (void)problem_set(&p, ERR_INTERNAL, FAILED, "the answer could not be made");
        http_respond_problem(l->request, &p);
    } else if (l->left == 0) {
        answer_whole(l, (int64_t)n > before || !was_last || l->stopped_early);
    } else if (was_last) {
        answer_whole(l, false);
    } else if (fetch(l, &p)) {
        http_respond_problem(l->request, &p);
    }
}

/* ---- streamed ---- */

static int pull(struct http_request *r, void *state, struct buf *out)
{
    struct listing *l = state;
    struct problem p = {0};
    if (l->failed)
        return ERR_DB_AWAY;
    size_t n = l->page.len - l->page_sent;
    if (n > 65536)
        n = 65536;
    if (n > 0 && buf_append(out, l->page.data + l->page_sent, n))
        return ERR_NOMEM;
    l->page_sent += n;
    if (l->page_sent < l->page.len)
        return 0;
    buf_clear(&l->page);
    l->page_sent = 0;
    if (l->ended)
        return ERR_END;
    if (!l->fetching && fetch(l, &p))
        return p.err;
    (void)r;
    return ERR_AGAIN;
}

static void take_page(struct listing *l, const struct execution *rows, size_t n)
{
    l->ended = n < l->filter.limit;
    if (append_rows(l, rows, n, PAGE_BYTES_MAX))
        l->failed = true;
    if (l->left == 0)
        l->ended = true;
    if (l->ended && buf_append_char(&l->page, ']'))
        l->failed = true;
    http_stream_wake(l->request);
}

static void on_page(void *user, const struct problem *p, const struct execution *rows, size_t n)
{
    struct http_request *r = user;
    struct listing *l = http_state(r);
    if (!http_is_gone(r) && l) {
        l->fetching = false;
        if (p && !l->streams) {
            http_respond_problem(r, p);
        } else if (p) {
            l->failed = true;
            http_stream_wake(r);
        } else if (l->streams) {
            take_page(l, rows, n);
        } else {
            collect(l, rows, n);
        }
    }
    http_unref(r);
}

void executions_list_get(struct http_request *r)
{
    struct problem p = {0};
    struct listing *l = calloc(1, sizeof(*l));
    if (!l) {
        (void)problem_set(&p, ERR_INTERNAL, FAILED, "out of memory");
        http_respond_problem(r, &p);
        return;
    }
    l->request = r;
    buf_init(&l->page, PAGE_BYTES_MAX);
    http_set_state(r, l, listing_free);
    int err = parse_query(r, l, &p);
    if (!err && buf_append_char(&l->page, '['))
        err = problem_set(&p, ERR_INTERNAL, FAILED, "out of memory");
    if (!err && !l->streams)
        err = fetch(l, &p);
    if (err)
        http_respond_problem(r, &p);
    else if (l->streams)
        http_stream_begin(r, 200, NULL, pull);
}
