/*
 * The JSON of the HTTP API and the streams, both directions: api.md to the letter. Encoders append
 * compact JSON text; decoders validate and name the field and the rule in the problem. No I/O.
 */
#ifndef TAILGATE_WIRE_MESSAGES_H
#define TAILGATE_WIRE_MESSAGES_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/model.h"

/* ---- API bodies, server side ---- */
struct wire_run_request { /* strings point into doc */
    json_t *doc;
    const char *command, *image, *git_repo, *git_ref, *git_path, *idempotency_key;
    int64_t timeout_s; /* -1 = absent */
    int64_t grace_s;   /* -1 = absent */
    bool tty;
    struct wire_env {
        const char *name, *value;
    } * env;
    size_t env_count;
    const char **secrets;
    size_t secrets_count;
};
/* Body of POST /run. An empty body, wrong types, unknown env names: ERR_INVALID with error "invalid
 * request body" (not JSON) or "failed to run command" (a rule broken, details name the field). */
MUST_CHECK int wire_run_request_decode(const char *body, size_t len, struct wire_run_request *ret,
                                       struct problem *p);
void wire_run_request_done(struct wire_run_request *r);

MUST_CHECK int wire_error(struct buf *out, const struct problem *p);
/* websocket_url and log_url may be NULL ("" for log_url then, websocket_url absent). */
MUST_CHECK int wire_run_response(struct buf *out, const struct execution *e, const char *log_url,
                                 const char *websocket_url);
MUST_CHECK int wire_status(struct buf *out, const struct execution *e);
/* An element of the list (also GET /executions/{id}). */
MUST_CHECK int wire_execution(struct buf *out, const struct execution *e, const char *provider);
MUST_CHECK int wire_kill_response(struct buf *out, const struct execution *e);
MUST_CHECK int wire_health(struct buf *out, const char *version, const char *provider);
/* One element of "events" and Runvoy's stream message: {"event_id","timestamp","message"}; an empty
 * line is one space when `runvoy_stream`. */
MUST_CHECK int wire_event(struct buf *out, const struct execution_id *id, uint64_t seq,
                          int64_t time_us, const char *text, size_t len, bool runvoy_stream);
/* The same with "stream" ("stdout", "stderr", "system"), and "part" when the line goes on in the
 * next one of its stream: the data of a Server-Sent Event. */
MUST_CHECK int wire_stream_event(struct buf *out, const struct execution_id *id, uint64_t seq,
                                 int64_t time_us, uint8_t stream, bool is_part, const char *text,
                                 size_t len);
/* {"ticket","expires_at"} */
MUST_CHECK int wire_ticket(struct buf *out, const char *ticket, int64_t expires_us);
/* A line that a search found: begin, a call a span, end. */
struct wire_found_line {
    uint64_t first_seq, last_seq; /* of its parts */
    int64_t time_us;
    uint8_t stream;
    const char *text;
    size_t len;
    uint64_t matches;
};
MUST_CHECK int wire_found_begin(struct buf *out, const struct execution_id *id,
                                const struct wire_found_line *l);
MUST_CHECK int wire_found_span(struct buf *out, bool is_first, uint32_t start, uint32_t end);
MUST_CHECK int wire_found_end(struct buf *out);
MUST_CHECK int
wire_disconnect(struct buf *out); /* {"type":"disconnect","reason":"execution_completed"} */

/* ---- tailgate.v1, server to client ---- */
MUST_CHECK int wire_ws_hello(struct buf *out, const char *version, const char *email,
                             const char *session);
MUST_CHECK int wire_ws_subscribed(struct buf *out, const struct execution_id *id,
                                  const struct exec_state *s);
/* {"type":"logs","execution_id":"…","first":N,"lines":[ … ]}: begin, then one call a line, then
 * end. */
MUST_CHECK int wire_ws_logs_begin(struct buf *out, const struct execution_id *id, uint64_t first);
MUST_CHECK int wire_ws_logs_line(struct buf *out, bool is_first, int64_t time_us, uint8_t stream,
                                 uint8_t flags, const char *text, size_t len);
MUST_CHECK int wire_ws_logs_end(struct buf *out);
MUST_CHECK int wire_ws_live(struct buf *out, const struct execution_id *id, uint64_t seq);
MUST_CHECK int wire_ws_gap(struct buf *out, const struct execution_id *id, uint64_t from,
                           uint64_t to);
MUST_CHECK int wire_ws_status(struct buf *out, const struct execution_id *id,
                              const struct exec_state *s);
MUST_CHECK int wire_ws_end(struct buf *out, const struct execution_id *id,
                           const struct exec_state *s);
/* A page of the live list; rows: objects as wire_execution makes them, with commas between. */
struct wire_ws_executions {
    bool is_snapshot, begins, more; /* the last two of a snapshot */
    const char *rows;
    size_t len;
    const char *cursor; /* NULL = none */
};
MUST_CHECK int wire_ws_executions(struct buf *out, const struct wire_ws_executions *page);
/* id NULL = of the socket. */
MUST_CHECK int wire_ws_error(struct buf *out, const struct execution_id *id, const char *code,
                             const char *details, bool fatal);

/* ---- tailgate.v1, client to server ---- */
enum wire_client_type { WIRE_AUTH, WIRE_SUBSCRIBE, WIRE_UNSUBSCRIBE };
struct wire_client_message { /* strings point into doc */
    json_t *doc;
    enum wire_client_type type;
    const char *key;   /* auth */
    bool executions;   /* the list, not one execution */
    const char *since; /* the list's cursor; NULL = none */
    struct execution_id id;
    bool has_after, has_tail, follow; /* follow: true when absent */
    uint64_t after, tail;
};
MUST_CHECK int wire_client_decode(const char *text, size_t len, struct wire_client_message *ret,
                                  struct problem *p);
void wire_client_done(struct wire_client_message *m);
/* Encoders for the CLI. */
MUST_CHECK int wire_client_auth(struct buf *out, const char *key);
MUST_CHECK int wire_client_subscribe(struct buf *out, const struct execution_id *id, bool has_after,
                                     uint64_t after, bool has_tail, uint64_t tail, bool follow);

/* ---- decoded by the CLI ---- */
enum wire_server_type {
    WIRE_HELLO,
    WIRE_SUBSCRIBED,
    WIRE_LOGS,
    WIRE_LIVE,
    WIRE_GAP,
    WIRE_STATUS,
    WIRE_END,
    WIRE_ERROR,
    WIRE_OTHER, /* unknown type: ignore */
};
struct wire_server_message {
    json_t *doc;
    enum wire_server_type type;
    const char *execution_id; /* NULL when absent */
    uint64_t first, last_seq, from, to, seq;
    const json_t *lines; /* of logs: array */
    enum exec_status status;
    int32_t exit_code; /* EXIT_CODE_NONE */
    const char *code, *details, *reason;
    bool fatal;
};
MUST_CHECK int wire_server_decode(const char *text, size_t len, struct wire_server_message *ret,
                                  struct problem *p);
void wire_server_done(struct wire_server_message *m);
struct wire_line { /* text is UTF-8, may hold U+0000 */
    int64_t time_ms;
    char stream;
    bool part;
    const char *text;
    size_t len;
};
/* Line i of a logs message. ERR_END behind the last, ERR_INVALID when it is not as api.md says. */
MUST_CHECK int wire_server_line(const struct wire_server_message *m, size_t i,
                                struct wire_line *ret);

/*
 * Response bodies the CLI reads; fields that are absent stay 0 / NULL, exit_code EXIT_CODE_NONE.
 * STARTING with "queued" is EXEC_PENDING. Strings are owned (execution_done).
 */
MUST_CHECK int wire_execution_decode(const json_t *obj, struct execution *ret, struct problem *p);
/* {"error","code","details"} into *p (p->err from the HTTP status). */
void wire_error_decode(const char *body, size_t len, int http_status, struct problem *p);
/* POST /run's body, for the CLI. */
MUST_CHECK int wire_run_request_encode(struct buf *out, const struct wire_run_request *r);

#endif
