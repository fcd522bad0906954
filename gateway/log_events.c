/*
 * GET /executions/{id}/logs/stream: Server-Sent Events (HTML Living Standard 9.2). The row is asked
 * for first; then events are made as the socket takes them, from a cursor of the hub's.
 *
 *   retry and the state now ─▶ lines, gaps, states where they happened ─▶ end, the answer ends
 *                                  └─ nothing to say for --ping-interval: a comment
 */
#include "base/str.h"
#include "gateway/executions.h"
#include "gateway/server.h"
#include "wire/messages.h"
#include "wire/object.h"

#include <string.h>

#define PIECE_BYTES 65536u
#define RETRY_MS 1000 /* what a browser waits before it comes back */

static const char FAILED[] = "failed to stream execution logs";

struct events {
    struct http_request *request; /* owns this */
    struct execution_id id;
    uint64_t after;
    int64_t version; /* of the last state told */
    bool is_unreachable;
    struct topic *topic;
    struct cursor *cursor;
    struct chunk *chunk; /* told up to index */
    uint32_t index;
    struct loop_timer *ping;
    bool begun, is_ping_due;
};

static void events_free(void *user)
{
    struct events *e = user;
    loop_timer_free(e->ping);
    chunk_unref(e->chunk);
    if (e->cursor)
        cursor_close(e->cursor);
    if (e->topic)
        topic_unref(e->topic);
    free(e);
}

static void on_wake(void *user)
{
    struct events *e = user;
    http_stream_wake(e->request);
}

static void on_ping(void *user)
{
    struct events *e = user;
    e->is_ping_due = true;
    http_stream_wake(e->request);
}

/* ---- events ---- */

static int append_id(struct buf *out, uint64_t seq)
{
    int err = buf_append_str(out, "id: ");
    if (!err)
        err = wire_append_int(out, (int64_t)seq);
    return err ? err : buf_append_char(out, '\n');
}

static int append_line(const struct events *e, struct buf *out)
{
    const struct chunk_line *line = &e->chunk->lines[e->index];
    uint64_t seq = e->chunk->first_seq + e->index;
    int err = append_id(out, seq);
    if (!err)
        err = buf_append_str(out, "data: ");
    if (!err)
        err = wire_stream_event(out, &e->id, seq, line->time_us, line->stream,
                                (line->flags & LINE_PART) != 0, e->chunk->text + line->offset,
                                line->len);
    return err ? err : buf_append_str(out, "\n\n");
}

/* The head of a named event; its data, which is what tailgate.v1 says, and finish follow. */
static int append_name(struct buf *out, const char *name)
{
    return buf_printf(out, "event: %s\ndata: ", name);
}

static int append_status(const struct events *e, struct buf *out, const struct exec_state *s)
{
    int err = append_name(out, "status");
    if (!err)
        err = wire_ws_status(out, &e->id, s);
    return err ? err : buf_append_str(out, "\n\n");
}

/* Its id is the last line that is gone: who comes back is not told again. */
static int append_gap(const struct events *e, struct buf *out, uint64_t from, uint64_t to)
{
    int err = append_id(out, to);
    if (!err)
        err = append_name(out, "gap");
    if (!err)
        err = wire_ws_gap(out, &e->id, from, to);
    return err ? err : buf_append_str(out, "\n\n");
}

static int append_end(const struct events *e, struct buf *out)
{
    int err = append_name(out, "end");
    if (!err)
        err = wire_ws_end(out, &e->id, topic_state(e->topic));
    if (!err)
        err = buf_append_str(out, "\n\n");
    return err ? err : ERR_END;
}

static int append_begin(struct events *e, struct buf *out)
{
    e->begun = true;
    int err = buf_printf(out, "retry: %d\n\n", RETRY_MS);
    return err ? err : append_status(e, out, topic_state(e->topic));
}

/* The states whose place is at or before the cursor's. */
static int append_states(struct events *e, struct buf *out)
{
    const struct exec_state *states;
    size_t n = topic_states(e->topic, &states);
    int err = 0;
    for (size_t i = 0; i < n && !err; i++) {
        if (!exec_state_is_news(&states[i], e->version, e->is_unreachable))
            continue;
        if (states[i].last_seq > cursor_position(e->cursor))
            break;
        e->version = states[i].version;
        e->is_unreachable = exec_state_is_unreachable(&states[i]);
        err = append_status(e, out, &states[i]);
    }
    return err;
}

/* ---- making the body ---- */

/* What comes behind the last chunk: states, then the next chunk, a gap or the end. */
static int advance(struct events *e, struct buf *out)
{
    uint64_t from = 0, to = 0;
    int err = append_states(e, out);
    if (!err)
        err = cursor_next(e->cursor, &e->chunk, &e->index, &from, &to);
    if (err == ERR_GAP)
        return append_gap(e, out, from, to);
    if (err == ERR_END)
        return append_end(e, out);
    /* A database that is away is waited for: the cursor tries again. */
    return !err || err == ERR_NOMEM || err == ERR_TOO_LARGE ? err : ERR_AGAIN;
}

static int append_chunk(struct events *e, struct buf *out, size_t start)
{
    int err = 0;
    while (!err && e->index < e->chunk->n_lines && out->len - start < PIECE_BYTES) {
        err = append_line(e, out);
        e->index++;
    }
    if (e->index == e->chunk->n_lines) {
        chunk_unref(e->chunk);
        e->chunk = NULL;
    }
    return err;
}

static int pull(struct http_request *r, void *state, struct buf *out)
{
    struct events *e = state;
    size_t start = out->len;
    int err = e->begun ? 0 : append_begin(e, out);
    while (!err && out->len - start < PIECE_BYTES)
        err = e->chunk ? append_chunk(e, out, start) : advance(e, out);
    if (err == ERR_AGAIN && out->len == start) {
        if (server_is_leaving(http_server(r)))
            return ERR_CLOSED; /* cut: the reader comes back to another server */
        if (e->is_ping_due && buf_append_str(out, ": ping\n\n"))
            return ERR_NOMEM;
    }
    if (out->len > start)
        e->is_ping_due = false;
    return err;
}

/* ---- the request ---- */

static int begin(struct events *e, const struct execution *row)
{
    struct server *s = http_server(e->request);
    int64_t ping_ms = server_options(s)->ping_interval_ms;
    int err = hub_topic_open(server_hub(s), row, &e->topic);
    if (!err)
        err = cursor_open(e->topic, e->after, on_wake, e, &e->cursor);
    if (!err)
        err = loop_timer_new(server_loop(s), on_ping, e, &e->ping);
    if (!err)
        err = http_add_header(e->request, "X-Accel-Buffering", "no");
    if (err)
        return err;
    e->version = topic_state(e->topic)->version;
    e->is_unreachable = exec_state_is_unreachable(topic_state(e->topic));
    loop_timer_start(e->ping, ping_ms, ping_ms);
    http_stream_begin(e->request, 200, "text/event-stream", pull);
    return 0;
}

static void on_row(void *user, const struct problem *p, const struct execution *row)
{
    struct http_request *r = user;
    struct events *e = http_state(r);
    struct problem failed;
    if (!http_is_gone(r) && e) {
        if (p) {
            executions_respond_problem(r, p, FAILED);
        } else if (begin(e, row)) {
            (void)problem_set(&failed, ERR_INTERNAL, FAILED, "out of memory");
            http_respond_problem(r, &failed);
        }
    }
    http_unref(r);
}

/* Last-Event-ID, which a browser sends when it comes back, else ?after=. */
static int parse_position(const struct http_request *r, struct events *e, struct problem *p)
{
    const char *last = http_header_last_event_id(r);
    int64_t after = 0;
    int err = executions_query_number(r, "after", &after, p);
    if (err)
        return err;
    if (!str_is_empty(last)) {
        if (strncmp(last, e->id.hex, EXECUTION_ID_LEN) == 0 && last[EXECUTION_ID_LEN] == '-')
            last += EXECUTION_ID_LEN + 1;
        if (str_to_i64(last, 0, INT64_MAX, &after) < 0)
            return problem_set(p, ERR_INVALID, "invalid Last-Event-ID",
                               "Last-Event-ID must be SEQ or EXECUTION_ID-SEQ of this execution");
    }
    e->after = (uint64_t)after;
    return 0;
}

static void get(struct http_request *r)
{
    struct problem p = {0};
    struct events *e = calloc(1, sizeof(*e));
    if (!e) {
        (void)problem_set(&p, ERR_INTERNAL, FAILED, "out of memory");
        http_respond_problem(r, &p);
        return;
    }
    e->request = r;
    http_set_state(r, e, events_free);
    if (executions_path_id(r, FAILED, &e->id))
        return;
    int err = parse_position(r, e, &p);
    http_ref(r);
    if (!err)
        err = orchestrator_get(server_orchestrator(http_server(r)), http_principal(r), ACTION_READ,
                               &e->id, on_row, r, &p);
    if (err) {
        executions_respond_problem(r, &p, FAILED);
        http_unref(r);
    }
}

const struct route routes_log_events[] = {
    {HTTP_GET, POLICY_READ, "/api/v1/executions/{id}/logs/stream", get},
};
const size_t routes_log_events_count = ARRAY_SIZE(routes_log_events);
