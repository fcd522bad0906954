/* Glue of stream (the connection), follow (when to connect again) and printer (the lines). */
#include "cli/tail.h"

#include "base/clock.h"
#include "base/str.h"
#include "cli/report.h"
#include "cli/stream.h"

#include <inttypes.h>

struct tail {
    const struct tail_options *opt;
    struct tail_result *result;
    struct stream *stream;
    struct follow follow;
    uint64_t last;     /* printed, or known to be gone */
    bool has_position; /* last is where to go on; before, with tail, the server chooses */
    bool is_done;
    bool is_lost; /* a notice was given */
    unsigned signals;
};

static void finish(struct tail *t, enum tail_outcome outcome)
{
    if (t->is_done)
        return;
    t->is_done = true;
    t->result->outcome = outcome;
    t->result->last_seq = t->last;
}

/* Ends it with *p's error unless it has ended already; returns non-zero for the message callback.
 */
static int fail(struct tail *t, const struct problem *p)
{
    if (!t->is_done)
        t->result->p = *p;
    t->result->err = t->result->p.err;
    finish(t, TAIL_FAILED);
    return -1;
}

static int fail_output(struct tail *t, int err)
{
    /* The signal that stopped a blocked write has ended it already. */
    t->result->err = err;
    finish(t, TAIL_OUTPUT);
    return -1;
}

static void notice(struct tail *t, const char *what, const char *details)
{
    if (printer_break(t->opt->printer) == 0)
        report("%s%s%s", what, details[0] != '\0' ? ": " : "", details);
}

/* ---- what the server says ---- */

static int on_hello(struct tail *t)
{
    struct buf text CLEANUP_BUF;
    buf_init(&text, STREAM_SEND_MAX);
    bool from_tail = t->opt->has_tail && !t->has_position;
    int r = wire_client_subscribe(&text, &t->opt->id, !from_tail, t->last, from_tail, t->opt->tail,
                                  t->opt->follow);
    return r == 0 ? stream_send(t->stream, text.data, text.len) : r;
}

static void on_progress(struct tail *t)
{
    if (follow_progress(&t->follow) && t->is_lost)
        notice(t, "connected again", "");
    t->is_lost = false;
}

static int on_logs(struct tail *t, const struct wire_server_message *m)
{
    size_t count = json_array_size(m->lines);
    uint64_t seq = m->first;
    int r = 0;
    if (t->has_position && seq > t->last + 1) {
        char lines[96];
        (void)snprintf(lines, sizeof lines, "lines %" PRIu64 " to %" PRIu64, t->last + 1, seq - 1);
        notice(t, "the server left out lines, asking again", lines);
        return -1;
    }
    on_progress(t);
    for (size_t i = 0; i < count && r == 0; i++, seq++) {
        struct wire_line line;
        if (t->has_position && seq <= t->last)
            continue;
        r = wire_server_line(m, i, &line);
        if (r != 0) {
            struct problem p;
            (void)problem_set(&p, ERR_INVALID, "unusable message from the server",
                              "line %" PRIu64 " is malformed", seq);
            return fail(t, &p);
        }
        r = printer_line(t->opt->printer, seq, &line);
    }
    if (r == 0)
        r = printer_flush(t->opt->printer);
    if (r != 0)
        return fail_output(t, r);
    if (count > 0 && (!t->has_position || m->first + count - 1 > t->last)) {
        t->last = m->first + count - 1;
        t->has_position = true;
    }
    return 0;
}

static int on_gap(struct tail *t, const struct wire_server_message *m)
{
    char lines[96];
    if (t->has_position && m->to <= t->last)
        return 0;
    (void)snprintf(lines, sizeof lines, "lines %" PRIu64 " to %" PRIu64, m->from, m->to);
    notice(t, "no longer stored (log retention)", lines);
    t->last = m->to;
    t->has_position = true;
    return 0;
}

static int on_live(struct tail *t)
{
    on_progress(t);
    if (t->opt->follow)
        return 0;
    finish(t, TAIL_CAUGHT_UP);
    return -1;
}

static int on_end(struct tail *t, const struct wire_server_message *m)
{
    on_progress(t);
    if (t->has_position && m->last_seq > t->last) {
        struct problem p;
        (void)problem_set(&p, ERR_INVALID, "the log is not complete",
                          "the server ended it at line %" PRIu64 " of %" PRIu64, t->last,
                          m->last_seq);
        return fail(t, &p);
    }
    t->result->status = m->status;
    t->result->exit_code = m->exit_code;
    if (m->reason != NULL && str_copy(t->result->reason, sizeof t->result->reason, m->reason) != 0)
        t->result->reason[0] = '\0';
    finish(t, t->opt->follow ? TAIL_ENDED : TAIL_CAUGHT_UP);
    return -1;
}

/* Codes that another attempt may cure; the connection is given up and made again, with backoff. */
static bool is_passing(const char *code)
{
    return str_eq(code, "DATABASE_ERROR") || str_eq(code, "SERVICE_UNAVAILABLE") ||
           str_eq(code, "LIMIT_EXCEEDED") || str_eq(code, "INTERNAL_ERROR") ||
           str_eq(code, "REQUEST_TIMEOUT");
}

static int on_error(struct tail *t, const struct wire_server_message *m)
{
    static const struct {
        const char *code;
        int err;
    } codes[] = {
        {"NOT_FOUND", ERR_NOT_FOUND},     {"UNAUTHORIZED", ERR_UNAUTHORIZED},
        {"INVALID_API_KEY", ERR_BAD_KEY}, {"API_KEY_REVOKED", ERR_REVOKED},
        {"FORBIDDEN", ERR_FORBIDDEN},
    };
    if (is_passing(m->code))
        return -1;
    struct problem p;
    int err = ERR_INVALID;
    for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
        if (str_eq(codes[i].code, m->code))
            err = codes[i].err;
    (void)problem_set(&p, err, err == ERR_NOT_FOUND ? "no such execution" : "the server refused",
                      "%s", !str_is_empty(m->details) ? m->details : t->opt->id.hex);
    return fail(t, &p);
}

static int take(struct tail *t, const struct wire_server_message *m)
{
    if (m->execution_id != NULL && !str_eq(m->execution_id, t->opt->id.hex))
        return 0;
    switch (m->type) {
    case WIRE_HELLO:
        return on_hello(t);
    case WIRE_LOGS:
        return on_logs(t, m);
    case WIRE_GAP:
        return on_gap(t, m);
    case WIRE_LIVE:
        return on_live(t);
    case WIRE_END:
        return on_end(t, m);
    case WIRE_ERROR:
        return on_error(t, m);
    case WIRE_SUBSCRIBED:
    case WIRE_STATUS:
    case WIRE_OTHER:
        return 0;
    }
    return 0;
}

/* ---- the stream's events ---- */

static void on_opened(UNUSED void *user)
{
    /* Authenticated by the handshake's header: hello comes next. */
}

static int on_message(void *user, const char *text, size_t len)
{
    struct tail *t = user;
    struct wire_server_message m CLEANUP(wire_server_done) = {0};
    struct problem p = {0};
    if (t->is_done)
        return -1;
    if (wire_server_decode(text, len, &m, &p) == 0)
        return take(t, &m);
    struct problem told;
    (void)problem_set(&told, ERR_INVALID, "unusable message from the server", "%s", p.details);
    return fail(t, &told);
}

static void on_lost(void *user, const struct stream_end *end)
{
    struct tail *t = user;
    struct problem p;
    int64_t delay_ms = 0;
    if (t->is_done)
        return;
    if (follow_lost(&t->follow, clock_mono_ms(), end, &delay_ms, &p) != 0) {
        (void)fail(t, &p);
        return;
    }
    if (!t->is_lost)
        notice(t, "connection lost, connecting again", end->reason);
    t->is_lost = true;
    stream_start_timer(t->stream, delay_ms);
}

static void on_timer(void *user)
{
    struct tail *t = user;
    if (!t->is_done)
        stream_connect(t->stream);
}

/* The interrupt's handler, also called while a write blocks. */
static bool on_signal(void *user, int signum)
{
    struct tail *t = user;
    t->signals++;
    if (t->opt->leave != NULL && !t->opt->leave(t->opt->user, signum, t->signals))
        return false;
    t->result->signum = signum;
    finish(t, TAIL_LEFT);
    return true;
}

static void on_signals(void *user)
{
    struct tail *t = user;
    (void)interrupt_dispatch(t->opt->intr);
}

void tail_run(const struct tail_options *opt, struct tail_result *ret)
{
    static const struct stream_events events = {.opened = on_opened,
                                                .message = on_message,
                                                .lost = on_lost,
                                                .timer = on_timer,
                                                .signal = on_signals};
    *ret = (struct tail_result){.last_seq = opt->after, .exit_code = EXIT_CODE_NONE};
    struct tail t = {.opt = opt, .result = ret, .last = opt->after, .has_position = !opt->has_tail};
    follow_init(&t.follow, opt->reconnect_timeout_ms, opt->retry_first);
    struct problem p = {0};
    if (stream_new(opt->settings, opt->intr, &events, &t, &t.stream, &p) != 0) {
        (void)fail(&t, &p);
        return;
    }
    opt->intr->fn = on_signal;
    opt->intr->user = &t;
    stream_connect(t.stream);
    while (!t.is_done) {
        if (stream_turn(t.stream) != 0 && !t.is_done) {
            (void)problem_set(&p, ERR_INTERNAL, "the stream broke", "libwebsockets gave up");
            (void)fail(&t, &p);
        }
    }
    opt->intr->fn = NULL;
    stream_free(t.stream);
    if (ret->outcome == TAIL_OUTPUT || ret->err == ERR_AGAIN)
        return; /* output is blocked or gone */
    int r = printer_break(opt->printer);
    if (r != 0 && ret->outcome != TAIL_LEFT) {
        ret->outcome = TAIL_OUTPUT;
        ret->err = r;
    }
}
