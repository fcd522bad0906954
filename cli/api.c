/* Each call: path, body, answer checked. */
#include "cli/api.h"

#include <inttypes.h>
#include <string.h>

#define PAGE 500

static int unusable(struct problem *p, const char *what)
{
    return problem_set(p, ERR_INTERNAL, "unusable answer from the server", "%s", what);
}

int api_parse(const struct rest_answer *a, json_t **ret, struct problem *p)
{
    struct problem why = {0};
    int r = json_parse(a->body.data != NULL ? a->body.data : "", a->body.len, ret, &why);
    return r == 0 ? 0 : unusable(p, why.details);
}

static int read_id(const json_t *obj, struct execution_id *ret, struct problem *p)
{
    const char *text = json_string_value(json_object_get(obj, "execution_id"));
    if (text == NULL || execution_id_parse(text, ret) != 0)
        return unusable(p, "execution_id is missing or malformed");
    return 0;
}

int api_start(struct rest *r, const struct wire_run_request *request, struct execution_id *ret,
              struct buf *ret_json, struct problem *p)
{
    struct buf body CLEANUP_BUF;
    buf_init(&body, (size_t)4 << 20);
    struct rest_answer answer CLEANUP(rest_answer_done) = {0};
    json_t *doc CLEANUP_JSON = NULL;
    int err = wire_run_request_encode(&body, request);
    if (err != 0)
        return problem_set(p, err, "cannot start", "the command and its environment are too large");
    err = rest_call(r, "POST", "/run", &body, &answer, p);
    if (err == 0)
        err = api_parse(&answer, &doc, p);
    if (err == 0)
        err = read_id(doc, ret, p);
    if (err == 0 && ret_json != NULL && json_append(ret_json, doc) != 0)
        err = problem_set(p, ERR_NOMEM, "cannot start", "out of memory");
    return err;
}

int api_kill(struct rest *r, const struct execution_id *id, bool *ret_ended, struct problem *p)
{
    char path[64];
    struct rest_answer answer CLEANUP(rest_answer_done) = {0};
    (void)snprintf(path, sizeof path, "/executions/%s", id->hex);
    int err = rest_call(r, "DELETE", path, NULL, &answer, p);
    if (err == 0)
        *ret_ended = answer.status == 204;
    return err;
}

int api_get(struct rest *r, const struct execution_id *id, json_t **ret, struct problem *p)
{
    char path[64];
    struct rest_answer answer CLEANUP(rest_answer_done) = {0};
    (void)snprintf(path, sizeof path, "/executions/%s", id->hex);
    int err = rest_call(r, "GET", path, NULL, &answer, p);
    return err != 0 ? err : api_parse(&answer, ret, p);
}

/* Calls fn for the page's executions; *left counts down (0 = no limit was given). */
static int give_page(const json_t *page, uint64_t limit, uint64_t *given, api_execution_fn fn,
                     void *user, struct problem *p)
{
    if (!json_is_array(page))
        return unusable(p, "the list is no array");
    size_t i;
    json_t *item;
    json_array_foreach (page, i, item) {
        if (limit != 0 && *given == limit)
            break;
        (*given)++;
        int r = fn(user, item);
        if (r != 0) {
            p->err = 0;
            return r;
        }
    }
    return 0;
}

static int first_query(struct buf *query, const char *filter, uint64_t limit)
{
    uint64_t page = limit == 0 || limit > PAGE ? PAGE : limit;
    int r = buf_printf(query, "/executions?limit=%" PRIu64, page);
    return r == 0 && filter != NULL ? buf_append_str(query, filter) : r;
}

int api_list(struct rest *r, const char *filter, uint64_t limit, api_execution_fn fn, void *user,
             struct problem *p)
{
    struct buf query CLEANUP_BUF;
    buf_init(&query, 2048);
    uint64_t given = 0;
    int err = first_query(&query, filter, limit);
    while (err == 0) {
        struct rest_answer answer CLEANUP(rest_answer_done) = {0};
        json_t *page CLEANUP_JSON = NULL;
        uint64_t before = given;
        if ((err = rest_call(r, "GET", query.data, NULL, &answer, p)) != 0 ||
            (err = api_parse(&answer, &page, p)) != 0 ||
            (err = give_page(page, limit, &given, fn, user, p)) != 0)
            return err;
        /* An empty page with a next one would be asked for without end. */
        if (answer.next[0] == '\0' || given == before || (limit != 0 && given >= limit))
            return 0;
        buf_clear(&query);
        err = buf_printf(&query, "/executions?%s", answer.next);
    }
    return problem_set(p, err, "cannot list executions", "the request is too large");
}
