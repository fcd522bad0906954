/*
 * GET /executions/{id}/logs, in Runvoy's form (all lines of an ended execution) and as pages, and
 * logs.txt. The row is asked for first; then lines are pulled from the hub as the socket takes
 * them.
 */
#include "base/str.h"
#include "gateway/executions.h"
#include "gateway/log_reader.h"
#include "gateway/log_search.h"
#include "gateway/server.h"
#include "wire/messages.h"

#include <string.h>

#define PIECE_BYTES 65536u
#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 10000

static const char FAILED[] = "failed to get execution logs";

struct reading {
    struct http_request *request; /* owns this */
    struct log_reader *reader;
    struct execution_id id;
    bool is_text, follow, is_page, has_tail;
    int64_t after, limit, tail;
    bool begun, has_events;
    struct buf head, trailer; /* of the JSON around the events */
};

static void reading_free(void *user)
{
    struct reading *g = user;
    log_reader_free(g->reader);
    buf_done(&g->head);
    buf_done(&g->trailer);
    free(g);
}

static void on_wake(void *user)
{
    struct reading *g = user;
    http_stream_wake(g->request);
}

/* ---- making the body ---- */

/* The raw bytes: what the command wrote. System lines are ours, not the command's. */
static int append_raw(struct buf *out, const struct log_line *l)
{
    if (l->stream == STREAM_SYSTEM)
        return 0;
    int err = l->len > 0 ? buf_append(out, l->text, l->len) : 0;
    if (!err && !(l->flags & (LINE_PART | LINE_NO_EOL)))
        err = buf_append_char(out, '\n');
    return err;
}

static int append_event(struct reading *g, struct buf *out, const struct log_line *l)
{
    int err = g->has_events ? buf_append_char(out, ',') : 0;
    g->has_events = true;
    if (err || !g->is_page)
        return err ? err : wire_event(out, &g->id, l->seq, l->time_us, l->text, l->len, false);
    return wire_stream_event(out, &g->id, l->seq, l->time_us, l->stream,
                             (l->flags & LINE_PART) != 0, l->text, l->len);
}

static int append_begin(struct reading *g, struct buf *out)
{
    g->begun = true;
    return g->head.len > 0 ? buf_append(out, g->head.data, g->head.len) : 0;
}

static int append_end(struct reading *g, struct buf *out)
{
    int err = g->trailer.len > 0 ? buf_append(out, g->trailer.data, g->trailer.len) : 0;
    return err ? err : ERR_END;
}

static int pull(struct http_request *r, void *state, struct buf *out)
{
    struct reading *g = state;
    size_t start = out->len;
    struct log_line line;
    int err = g->begun ? 0 : append_begin(g, out);
    while (!err && out->len - start < PIECE_BYTES) {
        err = log_reader_next(g->reader, &line);
        if (err == ERR_END)
            return append_end(g, out);
        if (err == ERR_AGAIN && g->follow && server_is_leaving(http_server(r)))
            return ERR_CLOSED; /* cut: the reader comes back to another server */
        if (!err)
            err = g->is_text ? append_raw(out, &line) : append_event(g, out, &line);
    }
    return err;
}

/* ---- the answer's frame ---- */

static const char *shown_status(enum exec_status s)
{
    return exec_status_name(s == EXEC_PENDING ? EXEC_STARTING : s);
}

static int append_socket(struct reading *g, struct buf *out)
{
    struct buf url CLEANUP_BUF = {.max = 2048};
    int err = buf_append_str(out, ",\"websocket_url\":");
    if (!err)
        err = executions_websocket_url(g->request, &g->id, &url);
    return err ? err : json_append_string(out, url.data, url.len);
}

/* What stands before and behind the events. */
static int make_frame(struct reading *g, const struct execution *row)
{
    bool live = !exec_status_is_terminal(row->state.status);
    bool queued = row->state.status == EXEC_PENDING;
    int err =
        buf_printf(&g->head, "{\"execution_id\":\"%s\",\"status\":\"%s\"%s,\"events\":[", g->id.hex,
                   shown_status(row->state.status), queued ? ",\"queued\":true" : "");
    if (!err)
        err = buf_append_char(&g->trailer, ']');
    if (!err && g->is_page)
        err =
            buf_printf(&g->trailer, ",\"last_seq\":%llu", (unsigned long long)row->state.last_seq);
    if (!err && live)
        err = append_socket(g, &g->trailer);
    return err ? err : buf_append_char(&g->trailer, '}');
}

/* While it runs Runvoy's form has no lines, but says where they come from. */
static int answer_live(struct reading *g, const struct execution *row)
{
    struct buf body CLEANUP_BUF = {.max = 4096};
    int err = buf_printf(&body, "{\"execution_id\":\"%s\",\"status\":\"%s\"%s,\"events\":null",
                         g->id.hex, shown_status(row->state.status),
                         row->state.status == EXEC_PENDING ? ",\"queued\":true" : "");
    if (!err)
        err = append_socket(g, &body);
    if (!err)
        err = buf_append_char(&body, '}');
    if (!err)
        http_respond(g->request, 200, NULL, body.data, body.len);
    return err;
}

static int add_next_link(struct reading *g, uint64_t until, uint64_t last)
{
    struct buf link CLEANUP_BUF = {.max = 256};
    if (until >= last)
        return 0;
    int err = buf_printf(&link, "</api/v1/executions/%s/logs?after=%llu&limit=%lld>; rel=\"next\"",
                         g->id.hex, (unsigned long long)until, (long long)g->limit);
    return err ? err : http_add_header(g->request, "Link", link.data);
}

static int begin(struct reading *g, const struct execution *row)
{
    struct http_request *r = g->request;
    uint64_t last = row->state.last_seq;
    uint64_t after = (uint64_t)g->after, until = last;
    int err = 0;
    if (g->has_tail)
        after = last > (uint64_t)g->tail ? last - (uint64_t)g->tail : 0;
    else if (g->is_page && after < last && last - after > (uint64_t)g->limit)
        until = after + (uint64_t)g->limit;
    if (g->is_page && !g->is_text)
        err = add_next_link(g, until, last);
    if (!err && !g->is_text)
        err = make_frame(g, row);
    if (!err)
        err = log_reader_open(server_hub(http_server(r)), row, after, until, g->follow, on_wake, g,
                              &g->reader);
    if (!err)
        http_stream_begin(r, 200, g->is_text ? "text/plain; charset=utf-8" : NULL, pull);
    return err;
}

static void on_row(void *user, const struct problem *p, const struct execution *row)
{
    struct http_request *r = user;
    struct reading *g = http_state(r);
    struct problem failed;
    if (http_is_gone(r) || !g) {
        http_unref(r);
        return;
    }
    if (p) {
        executions_respond_problem(r, p, FAILED);
    } else {
        bool runs = row->state.status < EXEC_TERMINATING;
        int err = !g->is_text && !g->is_page && runs ? answer_live(g, row) : begin(g, row);
        if (err) {
            (void)problem_set(&failed, ERR_INTERNAL, FAILED, "the answer could not be made");
            http_respond_problem(r, &failed);
        }
    }
    http_unref(r);
}

/* ---- the request ---- */

static int parse_query(const struct http_request *r, struct reading *g, struct problem *p)
{
    const char *follow = http_query(r, "follow");
    int err = executions_query_number(r, "after", &g->after, p);
    if (!err)
        err = executions_query_number(r, "limit", &g->limit, p);
    if (!err)
        err = executions_query_number(r, "tail", &g->tail, p);
    if (!err && log_search_is_asked(r))
        err = problem_set(p, ERR_INVALID, FAILED, "logs.txt is not searched; ask …/logs");
    g->has_tail = http_query(r, "tail") != NULL;
    g->is_page = g->has_tail || http_query(r, "after") || http_query(r, "limit");
    g->follow = g->is_text && follow && !str_eq(follow, "0") && !str_eq(follow, "false");
    if (!err && g->has_tail && http_query(r, "after"))
        err = problem_set(p, ERR_INVALID, FAILED, "after and tail exclude each other");
    if (!g->is_text && (g->limit == 0 || g->limit > LIMIT_MAX))
        g->limit = LIMIT_MAX;
    if (g->is_text && !http_query(r, "limit"))
        g->limit = INT64_MAX;
    if (!g->is_text && g->tail > LIMIT_MAX)
        g->tail = LIMIT_MAX;
    return err;
}

static void get(struct http_request *r, bool is_text)
{
    struct problem p = {0};
    struct reading *g = calloc(1, sizeof(*g));
    if (!g) {
        (void)problem_set(&p, ERR_INTERNAL, FAILED, "out of memory");
        http_respond_problem(r, &p);
        return;
    }
    g->request = r;
    g->is_text = is_text;
    g->limit = LIMIT_DEFAULT;
    buf_init(&g->head, 512);
    buf_init(&g->trailer, 4096);
    http_set_state(r, g, reading_free);
    if (executions_path_id(r, FAILED, &g->id))
        return;
    int err = parse_query(r, g, &p);
    http_ref(r);
    if (!err)
        err = orchestrator_get(server_orchestrator(http_server(r)), http_principal(r), ACTION_READ,
                               &g->id, on_row, r, &p);
    if (err) {
        executions_respond_problem(r, &p, FAILED);
        http_unref(r);
    }
}

static void get_logs(struct http_request *r)
{
    if (log_search_is_asked(r))
        log_search_get(r);
    else
        get(r, false);
}

static void get_logs_text(struct http_request *r)
{
    get(r, true);
}

const struct route routes_logs[] = {
    {HTTP_GET, POLICY_READ, "/api/v1/executions/{id}/logs", get_logs},
    {HTTP_GET, POLICY_READ, "/api/v1/executions/{id}/logs.txt", get_logs_text},
};
const size_t routes_logs_count = ARRAY_SIZE(routes_logs);
