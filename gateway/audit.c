/* GET /audit: newest first, a page at a time; a Link header leads to the next. */
#include "orchestrator/audit.h"
#include "base/str.h"
#include "gateway/http.h"
#include "gateway/http_link.h"
#include "gateway/server.h"
#include "wire/audit.h"

#include <stdio.h>
#include <stdlib.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000
#define ANSWER_MAX (8u << 20)

static const char FAILED[] = "failed to list audit entries";

/* ---- the query ---- */

static int query_number(const struct http_request *r, const char *name, int64_t max, int64_t *ret,
                        struct problem *p)
{
    char error[64];
    const char *text = http_query(r, name);
    if (str_is_empty(text) || str_to_i64(text, 1, max, ret) == 0)
        return 0;
    (void)snprintf(error, sizeof(error), "invalid %s parameter", name);
    return problem_set(p, ERR_INVALID, error, "%s must be a number between 1 and %lld", name,
                       (long long)max);
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

static const char *query_text(const struct http_request *r, const char *name)
{
    const char *text = http_query(r, name);
    return str_is_empty(text) ? NULL : text;
}

static int parse_query(const struct http_request *r, struct audit_filter *f, struct problem *p)
{
    int64_t limit = LIMIT_DEFAULT;
    int e = query_number(r, "limit", LIMIT_MAX, &limit, p);
    if (e == 0)
        e = query_number(r, "cursor", INT64_MAX, &f->before_id, p);
    if (e == 0)
        e = query_time(r, "since", &f->since_us, p);
    if (e == 0)
        e = query_time(r, "until", &f->until_us, p);
    f->email = query_text(r, "email");
    f->action = query_text(r, "action");
    f->resource = query_text(r, "resource");
    f->result = query_text(r, "result");
    f->request_id = query_text(r, "request_id");
    f->limit = (size_t)limit;
    return e;
}

/* ---- the answer ---- */

struct page {
    struct http_request *request; /* a reference */
    size_t limit;
};

static int add_link(struct http_request *r, int64_t cursor)
{
    static const char *const kept[] = {"limit",  "email", "action", "resource",
                                       "result", "since", "until",  "request_id"};
    return http_add_next_link(r, "/api/v1/audit", kept, ARRAY_SIZE(kept), cursor);
}

static void on_listed(void *user, const struct problem *p, const struct audit_entry *rows, size_t n)
{
    struct page page = *(struct page *)user;
    struct buf body CLEANUP_BUF = {.max = ANSWER_MAX};
    struct problem failed;
    free(user);
    if (!p) {
        /* One more than wanted tells whether there is a next page. */
        size_t shown = n > page.limit ? page.limit : n;
        int e = wire_audit(&body, rows, shown);
        if (e == 0 && n > page.limit)
            e = add_link(page.request, rows[shown - 1].audit_id);
        if (e < 0) {
            (void)problem_set(&failed, ERR_INTERNAL, FAILED, "the answer could not be made");
            p = &failed;
        }
    }
    if (p)
        http_respond_problem(page.request, p);
    else
        http_respond(page.request, 200, NULL, body.data, body.len);
    http_unref(page.request);
}

static void get(struct http_request *r)
{
    struct problem p = {0};
    struct audit_filter f = {0};
    if (parse_query(r, &f, &p) < 0) {
        http_respond_problem(r, &p);
        return;
    }
    struct page *page = malloc(sizeof(*page));
    if (!page) {
        (void)problem_set(&p, ERR_INTERNAL, FAILED, "out of memory");
        http_respond_problem(r, &p);
        return;
    }
    *page = (struct page){http_ref(r), f.limit};
    f.limit++;
    if (audit_list(server_orchestrator(http_server(r)), http_principal(r), &f, on_listed, page,
                   &p)) {
        free(page);
        http_respond_problem(r, &p);
        http_unref(r);
    }
}

const struct route routes_audit[] = {{HTTP_GET, POLICY_AUDIT, "/api/v1/audit", get}};
const size_t routes_audit_count = ARRAY_SIZE(routes_audit);
