/* tailgate.v1, server to client (api.md, "Streams"). */
#include "wire/messages.h"
#include "wire/object.h"

#include <string.h>

static void begin(struct wire_object *o, struct buf *out, const char *type,
                  const struct execution_id *id)
{
    wire_object_begin(o, out);
    wire_object_str(o, "type", type);
    if (id)
        wire_object_str(o, "execution_id", id->hex);
}

static void append_cause(struct wire_object *o, const struct exec_state *s)
{
    if (s->signal)
        wire_object_int(o, "signal", s->signal);
    if (s->reason[0])
        wire_object_str(o, "reason", s->reason);
}

int wire_ws_hello(struct buf *out, const char *version, const char *email, const char *session)
{
    struct wire_object o;

    begin(&o, out, "hello", NULL);
    wire_object_str(&o, "version", version);
    wire_object_str(&o, "user", email);
    wire_object_str(&o, "session", session);
    return wire_object_end(&o);
}

int wire_ws_subscribed(struct buf *out, const struct execution_id *id, const struct exec_state *s)
{
    struct wire_object o;

    begin(&o, out, "subscribed", id);
    wire_object_str(&o, "status", exec_status_name(s->status));
    wire_object_int(&o, "last_seq", (int64_t)s->last_seq);
    return wire_object_end(&o);
}

int wire_ws_logs_begin(struct buf *out, const struct execution_id *id, uint64_t first)
{
    struct wire_object o;

    begin(&o, out, "logs", id);
    wire_object_int(&o, "first", (int64_t)first);
    wire_object_name(&o, "lines");
    wire_object_raw(&o, "[", 1);
    return wire_object_pause(&o);
}

int wire_ws_logs_line(struct buf *out, bool is_first, int64_t time_us, uint8_t stream,
                      uint8_t flags, const char *text, size_t len)
{
    size_t start = out->len;
    const char stream_part[] = {',', '"', (char)stream, '"', ','};

    if (stream != STREAM_STDOUT && stream != STREAM_STDERR && stream != STREAM_SYSTEM)
        return ERR_INVALID;
    int r = buf_append(out, ",[", is_first ? 0 : 1);
    if (r == 0)
        r = buf_append_char(out, '[');
    if (r == 0)
        r = wire_append_int(out, time_us / 1000);
    if (r == 0)
        r = buf_append(out, stream_part, sizeof(stream_part));
    if (r == 0)
        r = json_append_string(out, text, len);
    if (r == 0)
        r = buf_append_str(out, flags & LINE_PART ? ",1]" : "]");
    if (r < 0) {
        out->len = start;
        if (out->data)
            out->data[start] = '\0';
    }
    return r;
}

int wire_ws_logs_end(struct buf *out)
{
    return buf_append_str(out, "]}");
}

int wire_ws_live(struct buf *out, const struct execution_id *id, uint64_t seq)
{
    struct wire_object o;

    begin(&o, out, "live", id);
    wire_object_int(&o, "seq", (int64_t)seq);
    return wire_object_end(&o);
}

int wire_ws_gap(struct buf *out, const struct execution_id *id, uint64_t from, uint64_t to)
{
    struct wire_object o;

    begin(&o, out, "gap", id);
    wire_object_int(&o, "from", (int64_t)from);
    wire_object_int(&o, "to", (int64_t)to);
    wire_object_str(&o, "reason", "retention");
    return wire_object_end(&o);
}

int wire_ws_status(struct buf *out, const struct execution_id *id, const struct exec_state *s)
{
    struct wire_object o;

    begin(&o, out, "status", id);
    wire_object_str(&o, "status", exec_status_name(s->status));
    wire_object_int(&o, "version", s->version);
    if (s->exit_code != EXIT_CODE_NONE)
        wire_object_int(&o, "exit_code", s->exit_code);
    append_cause(&o, s);
    wire_object_time(&o, "started_at", s->started_at_us);
    if (s->completed_at_us)
        wire_object_time(&o, "completed_at", s->completed_at_us);
    return wire_object_end(&o);
}

int wire_ws_end(struct buf *out, const struct execution_id *id, const struct exec_state *s)
{
    struct wire_object o;

    begin(&o, out, "end", id);
    wire_object_int(&o, "last_seq", (int64_t)s->last_seq);
    wire_object_str(&o, "status", exec_status_name(s->status));
    if (s->exit_code == EXIT_CODE_NONE)
        wire_object_null(&o, "exit_code");
    else
        wire_object_int(&o, "exit_code", s->exit_code);
    append_cause(&o, s);
    return wire_object_end(&o);
}

int wire_ws_error(struct buf *out, const struct execution_id *id, const char *code,
                  const char *details, bool fatal)
{
    struct wire_object o;

    begin(&o, out, "error", id);
    wire_object_str(&o, "code", code);
    wire_object_str(&o, "details", details);
    if (fatal)
        wire_object_bool(&o, "fatal", true);
    return wire_object_end(&o);
}

int wire_ws_executions(struct buf *out, const struct wire_ws_executions *page)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "type", "executions");
    wire_object_bool(&o, "snapshot", page->is_snapshot);
    if (page->begins)
        wire_object_bool(&o, "begin", true);
    wire_object_name(&o, "executions");
    wire_object_raw(&o, "[", 1);
    wire_object_raw(&o, page->rows, page->len);
    wire_object_raw(&o, "]", 1);
    if (page->is_snapshot)
        wire_object_bool(&o, "more", page->more);
    if (page->cursor)
        wire_object_str(&o, "cursor", page->cursor);
    return wire_object_end(&o);
}
