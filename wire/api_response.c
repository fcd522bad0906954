/* Bodies of the HTTP API's answers, and the messages of Runvoy's stream (api.md). */
#include "base/clock.h"
#include "wire/messages.h"
#include "wire/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int wire_error(struct buf *out, const struct problem *p)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "error", p->error);
    wire_object_str(&o, "code", p->code[0] ? p->code : err_api_code(p->err));
    wire_object_str(&o, "details", p->details);
    return wire_object_end(&o);
}

/* Runvoy's viewer knows no PENDING: it hides the kill button and sticks. */
static void append_status(struct wire_object *o, enum exec_status status)
{
    bool queued = status == EXEC_PENDING;

    wire_object_str(o, "status", exec_status_name(queued ? EXEC_STARTING : status));
    if (queued)
        wire_object_bool(o, "queued", true);
}

int wire_run_response(struct buf *out, const struct execution *e, const char *log_url,
                      const char *websocket_url)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "execution_id", e->id.hex);
    wire_object_str(&o, "log_url", log_url);
    append_status(&o, e->state.status);
    wire_object_str(&o, "command", e->command);
    wire_object_str(&o, "image_id", e->image_id);
    if (websocket_url)
        wire_object_str(&o, "websocket_url", websocket_url);
    return wire_object_end(&o);
}

/* Until the end, what has passed so far; a wall clock that was set back makes it 0. */
static int64_t duration_us(const struct exec_state *s)
{
    int64_t end = s->completed_at_us ? s->completed_at_us : clock_wall_us();

    return end > s->started_at_us ? end - s->started_at_us : 0;
}

static void append_execution(struct wire_object *o, const struct execution *e)
{
    const struct exec_state *s = &e->state;

    wire_object_str(o, "execution_id", e->id.hex);
    append_status(o, s->status);
    wire_object_str(o, "command", e->command);
    wire_object_str(o, "image_id", e->image_id);
    wire_object_time(o, "started_at", s->started_at_us);
    if (s->completed_at_us)
        wire_object_time(o, "completed_at", s->completed_at_us);
    if (s->exit_code == EXIT_CODE_NONE)
        wire_object_null(o, "exit_code");
    else
        wire_object_int(o, "exit_code", s->exit_code);
    if (s->signal)
        wire_object_int(o, "signal", s->signal);
    if (s->reason[0])
        wire_object_str(o, "reason", s->reason);
    wire_object_int(o, "last_seq", (int64_t)s->last_seq);
    wire_object_int(o, "duration_ms", duration_us(s) / 1000);
}

int wire_status(struct buf *out, const struct execution *e)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    append_execution(&o, e);
    return wire_object_end(&o);
}

int wire_execution(struct buf *out, const struct execution *e, const char *provider)
{
    struct wire_object o;
    const char *owner = e->created_by ? e->created_by : "";

    wire_object_begin(&o, out);
    append_execution(&o, e);
    wire_object_int(&o, "duration_seconds", duration_us(&e->state) / 1000000);
    wire_object_str(&o, "created_by", owner);
    wire_object_name(&o, "owned_by");
    wire_object_raw(&o, "[", 1);
    wire_object_string(&o, owner, strlen(owner));
    wire_object_raw(&o, "]", 1);
    wire_object_int(&o, "version", e->state.version);
    wire_object_str(&o, "created_by_request_id", e->created_by_request_id);
    wire_object_str(&o, "modified_by_request_id", e->modified_by_request_id);
    wire_object_str(&o, "cloud", provider);
    return wire_object_end(&o);
}

int wire_kill_response(struct buf *out, const struct execution *e)
{
    struct wire_object o;
    bool ended = exec_status_is_terminal(e->state.status);

    wire_object_begin(&o, out);
    wire_object_str(&o, "execution_id", e->id.hex);
    wire_object_str(&o, "message", ended ? "execution stopped" : "execution is being terminated");
    return wire_object_end(&o);
}

int wire_health(struct buf *out, const char *version, const char *provider)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "status", "ok");
    wire_object_str(&o, "version", version);
    wire_object_str(&o, "provider", provider);
    return wire_object_end(&o);
}

static void begin_event(struct wire_object *o, struct buf *out, const struct execution_id *id,
                        uint64_t seq, int64_t time_us)
{
    char event_id[EXECUTION_ID_LEN + 1 + 20 + 1];

    (void)snprintf(event_id, sizeof(event_id), "%.32s-%020" PRIu64, id->hex, seq);
    wire_object_begin(o, out);
    wire_object_str(o, "event_id", event_id);
    wire_object_int(o, "timestamp", time_us / 1000);
    wire_object_name(o, "message");
}

static const char *stream_name(uint8_t stream)
{
    return stream == STREAM_STDERR ? "stderr" : stream == STREAM_SYSTEM ? "system" : "stdout";
}

int wire_event(struct buf *out, const struct execution_id *id, uint64_t seq, int64_t time_us,
               const char *text, size_t len, bool runvoy_stream)
{
    struct wire_object o;

    begin_event(&o, out, id, seq, time_us);
    /* Runvoy's viewer drops a live message that is empty. */
    if (len == 0 && runvoy_stream)
        wire_object_string(&o, " ", 1);
    else
        wire_object_string(&o, text, len);
    return wire_object_end(&o);
}

int wire_stream_event(struct buf *out, const struct execution_id *id, uint64_t seq, int64_t time_us,
                      uint8_t stream, bool is_part, const char *text, size_t len)
{
    struct wire_object o;

    begin_event(&o, out, id, seq, time_us);
    wire_object_string(&o, text, len);
    wire_object_str(&o, "stream", stream_name(stream));
    if (is_part)
        wire_object_bool(&o, "part", true);
    return wire_object_end(&o);
}

int wire_found_begin(struct buf *out, const struct execution_id *id,
                     const struct wire_found_line *l)
{
    struct wire_object o;

    begin_event(&o, out, id, l->first_seq, l->time_us);
    wire_object_string(&o, l->text, l->len);
    wire_object_str(&o, "stream", stream_name(l->stream));
    wire_object_int(&o, "seq", (int64_t)l->first_seq);
    wire_object_int(&o, "last_seq", (int64_t)l->last_seq);
    wire_object_int(&o, "matches", (int64_t)l->matches);
    wire_object_name(&o, "spans");
    wire_object_raw(&o, "[", 1);
    return wire_object_pause(&o);
}

int wire_found_span(struct buf *out, bool is_first, uint32_t start, uint32_t end)
{
    return buf_printf(out, "%s[%" PRIu32 ",%" PRIu32 "]", is_first ? "" : ",", start, end);
}

int wire_found_end(struct buf *out)
{
    return buf_append_str(out, "]}");
}

int wire_disconnect(struct buf *out)
{
    return buf_append_str(out, "{\"type\":\"disconnect\",\"reason\":\"execution_completed\"}");
}

int wire_ticket(struct buf *out, const char *ticket, int64_t expires_us)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "ticket", ticket);
    wire_object_time(&o, "expires_at", expires_us);
    return wire_object_end(&o);
}
