/*
 * A page of the lines that match. The row is asked for first (may this person read it, how many
 * lines are there), then the search makes the page; with the request ends its search.
 */
#include "gateway/log_search.h"

#include "base/str.h"
#include "gateway/executions.h"
#include "gateway/server.h"
#include "logs/search.h"
#include "wire/messages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LIMIT_DEFAULT 100
/* A page's bytes and one line more (search.h), six times in JSON, and what is said of each line. */
#define BODY_MAX (6u * (SEARCH_PAGE_BYTES + 4u * SEARCH_JOIN_BYTES) + (1u << 20))
#define BODY_WHOLE_MAX (8u << 20) /* of an answer that is sent as a whole */
#define PIECE_BYTES 65536u
#define RETRY_AFTER_S "1"

static const char FAILED[] = "failed to search execution logs";

struct finding {
    struct http_request *request; /* owns this */
    struct search *search;        /* under way */
    struct execution_id id;
    struct search_request what;
    enum exec_status status;
    struct buf body;
    size_t sent;
};

static void finding_free(void *user)
{
    struct finding *f = user;
    if (f->search)
        search_cancel(f->search);
    buf_done(&f->body);
    free(f);
}

bool log_search_is_asked(const struct http_request *r)
{
    return http_query(r, "q") || http_query(r, "regex");
}

/* ---- the answer ---- */

static int append_line(struct buf *out, const struct execution_id *id, const struct search_line *l)
{
    const struct wire_found_line line = {
        .first_seq = l->first_seq,
        .last_seq = l->last_seq,
        .time_us = l->time_us,
        .stream = l->stream,
        .text = l->text,
        .len = l->len,
        .matches = l->matches,
    };
    int err = wire_found_begin(out, id, &line);
    for (size_t i = 0; i < l->n_spans && !err; i++)
        err = wire_found_span(out, i == 0, l->spans[i].start, l->spans[i].end);
    return err ? err : wire_found_end(out);
}

static int append_cursor(const struct finding *f, const struct search_page *page, struct buf *out)
{
    const uint64_t *done = page->position.done;
    if (f->what.backward && !page->more)
        return 0;
    return buf_printf(out, ",\"cursor\":\"%" PRIu64 ".%" PRIu64 ".%" PRIu64 "\"", done[0], done[1],
                      done[2]);
}

static int append_page(struct finding *f, const struct search_page *page)
{
    struct buf *out = &f->body;
    int err =
        buf_printf(out, "{\"execution_id\":\"%s\",\"status\":\"%s\"%s,\"events\":[", f->id.hex,
                   exec_status_name(f->status == EXEC_PENDING ? EXEC_STARTING : f->status),
                   f->status == EXEC_PENDING ? ",\"queued\":true" : "");
    for (size_t i = 0; i < page->n && !err; i++) {
        err = i > 0 ? buf_append_char(out, ',') : 0;
        if (!err)
            err = append_line(out, &f->id, &page->lines[i]);
    }
    if (!err)
        err = buf_printf(out,
                         "],\"lines\":%" PRIu64 ",\"matches\":%" PRIu64 ",\"searched_to\":%" PRIu64
                         ",\"more\":%s,\"last_seq\":%" PRIu64,
                         page->n_lines, page->matches, page->searched_to,
                         page->more ? "true" : "false", f->what.last_seq);
    if (!err)
        err = append_cursor(f, page, out);
    return err ? err : buf_append_char(out, '}');
}

static int pull(struct http_request *r UNUSED, void *state, struct buf *out)
{
    struct finding *f = state;
    size_t n = f->body.len - f->sent;
    if (n > PIECE_BYTES)
        n = PIECE_BYTES;
    if (buf_append(out, f->body.data + f->sent, n))
        return ERR_NOMEM;
    f->sent += n;
    return f->sent == f->body.len ? ERR_END : 0;
}

static void on_found(void *user, const struct problem *p, const struct search_page *page)
{
    struct finding *f = user;
    struct http_request *r = f->request;
    struct problem failed;
    f->search = NULL;
    if (!p && append_page(f, page)) {
        (void)problem_set(&failed, ERR_INTERNAL, FAILED, "the answer could not be made");
        p = &failed;
    }
    if (p)
        executions_respond_problem(r, p, FAILED);
    else if (f->body.len <= BODY_WHOLE_MAX)
        http_respond(r, 200, NULL, f->body.data, f->body.len);
    else
        http_stream_begin(r, 200, NULL, pull);
}

/* ---- the search ---- */

static void begin(struct finding *f, const struct execution *row)
{
    struct http_request *r = f->request;
    struct searcher *s = server_searcher(http_server(r));
    struct problem p;
    f->status = row->state.status;
    f->what.execution_key = row->key;
    f->what.last_seq = row->state.last_seq;
    f->what.ended = exec_status_is_terminal(row->state.status);
    f->what.text = http_query(r, f->what.is_regex ? "regex" : "q");
    int err = s ? search_start(s, &f->what, on_found, f, &f->search) : ERR_CLOSED;
    if (!err)
        return;
    if (err == ERR_LIMIT) {
        (void)!http_add_header(r, "Retry-After", RETRY_AFTER_S);
        (void)problem_set(&p, err, FAILED, "too many searches are under way; try again later");
    } else {
        (void)problem_set(&p, err == ERR_NOMEM ? ERR_INTERNAL : err, FAILED, "%s",
                          err == ERR_NOMEM ? "out of memory" : "the server is leaving");
    }
    http_respond_problem(r, &p);
}

static void on_row(void *user, const struct problem *p, const struct execution *row)
{
    struct http_request *r = user;
    struct finding *f = http_state(r);
    if (!http_is_gone(r) && f) {
        if (p)
            executions_respond_problem(r, p, FAILED);
        else
            begin(f, row);
    }
    http_unref(r);
}

/* ---- the request ---- */

static bool query_flag(const struct http_request *r, const char *name)
{
    const char *text = http_query(r, name);
    return text && !str_eq(text, "0") && !str_eq(text, "false");
}

static int parse_cursor(const char *text, struct search_position *ret, struct problem *p)
{
    struct search_position position;
    const char *at = text;
    int err = 0;
    for (size_t k = 0; k < SEARCH_STREAMS && !err; k++) {
        char digits[20];
        int64_t done = 0;
        size_t len = strcspn(at, ".");
        if (len >= sizeof digits || at[len] != (k + 1 < SEARCH_STREAMS ? '.' : '\0')) {
            err = ERR_INVALID;
            break;
        }
        memcpy(digits, at, len);
        digits[len] = '\0';
        err = str_to_i64(digits, 0, INT64_MAX, &done);
        position.done[k] = (uint64_t)done;
        at += len + 1;
    }
    if (err)
        return problem_set(p, ERR_INVALID, "invalid cursor parameter",
                           "cursor must come from the answer before");
    *ret = position;
    return 0;
}

static int parse_place(const struct http_request *r, struct search_request *what, struct problem *p)
{
    const char *cursor = http_query(r, "cursor");
    int64_t at = 0;
    what->backward = http_query(r, "before") != NULL;
    int err = executions_query_number(r, what->backward ? "before" : "after", &at, p);
    if (!err && what->backward && http_query(r, "after"))
        err = problem_set(p, ERR_INVALID, FAILED, "after and before exclude each other");
    if (!err && http_query(r, "tail"))
        err =
            problem_set(p, ERR_INVALID, FAILED, "a search has no tail; before=0 begins at the end");
    if (what->backward && at == 0)
        at = INT64_MAX;
    for (size_t k = 0; k < SEARCH_STREAMS; k++)
        what->from.done[k] = (uint64_t)at;
    return err || !cursor ? err : parse_cursor(cursor, &what->from, p);
}

static int parse_query(const struct http_request *r, struct search_request *what, struct problem *p)
{
    int64_t limit = LIMIT_DEFAULT;
    int err = executions_query_number(r, "limit", &limit, p);
    if (!err && http_query(r, "q") && http_query(r, "regex"))
        err = problem_set(p, ERR_INVALID, FAILED, "q and regex exclude each other");
    what->is_regex = http_query(r, "regex") != NULL;
    what->ignore_case = query_flag(r, "ignore_case");
    what->count_only = query_flag(r, "count");
    what->limit =
        limit == 0 || limit > (int64_t)SEARCH_LINES_MAX ? SEARCH_LINES_MAX : (size_t)limit;
    return err ? err : parse_place(r, what, p);
}

void log_search_get(struct http_request *r)
{
    struct problem p = {0};
    struct finding *f = calloc(1, sizeof(*f));
    if (!f) {
        (void)problem_set(&p, ERR_INTERNAL, FAILED, "out of memory");
        http_respond_problem(r, &p);
        return;
    }
    f->request = r;
    buf_init(&f->body, BODY_MAX);
    http_set_state(r, f, finding_free);
    if (executions_path_id(r, FAILED, &f->id))
        return;
    int err = parse_query(r, &f->what, &p);
    http_ref(r);
    if (!err)
        err = orchestrator_get(server_orchestrator(http_server(r)), http_principal(r), ACTION_READ,
                               &f->id, on_row, r, &p);
    if (err) {
        executions_respond_problem(r, &p, FAILED);
        http_unref(r);
    }
}
