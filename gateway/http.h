/*
 * One HTTP request, from libwebsockets' events to a routed handler and back. Handlers are
 * asynchronous: they keep the request (its pointer stays valid until respond, or until on_gone) and
 * answer later.
 *
 *   headers ─▶ [body ≤ max, within the request timeout] ─▶ authenticate (unless public) ─▶ handler
 *           ─▶ http_respond, or http_stream_begin + pulls under WRITEABLE ─▶ transaction completed
 *
 * Every response carries X-Request-ID and the CORS headers of the request's Origin.
 */
#ifndef TAILGATE_GATEWAY_HTTP_H
#define TAILGATE_GATEWAY_HTTP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/model.h"
#include "orchestrator/policy.h"

struct server;
struct http_request;

enum http_method { HTTP_GET, HTTP_POST, HTTP_PUT, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER };

struct server *http_server(const struct http_request *r);
enum http_method http_method(const struct http_request *r);
/* HEAD, or a browser that fetches ahead: what works once must not be used up by it. */
bool http_is_look(const struct http_request *r);
const char *http_path(const struct http_request *r); /* decoded, no query */
/* Text of the path parameter matched by {name} in the route; NULL when the route has none. */
const char *http_param(const struct http_request *r, const char *name);
const char *http_query(const struct http_request *r, const char *name); /* decoded; NULL = absent */
const char *http_body(const struct http_request *r, size_t *ret_len);   /* "" when empty */
const char *http_request_id(const struct http_request *r);
const char *http_header_last_event_id(const struct http_request *r);   /* NULL = absent */
const char *http_header_idempotency_key(const struct http_request *r); /* NULL = absent */
const char *http_header_accept(const struct http_request *r);          /* NULL = absent */
const char *http_header_accept_encoding(const struct http_request *r); /* NULL = absent */
const char *http_header_if_none_match(const struct http_request *r);   /* NULL = absent */
/* Who asks; NULL on public routes. */
const struct principal *http_principal(const struct http_request *r);
/* The call as the orchestrator records it; borrowed from r. */
struct caller http_caller(const struct http_request *r);
/* The scheme and host that clients see: --public-url, or from the request (X-Forwarded-* only from
 * trusted proxies). E.g. "https://tailgate.example:8443". */
const char *http_public_base(const struct http_request *r);

/* The handler's own state with the request; freed by free_fn when the request ends, answered or not
 * (the client may go away first: then no callback may touch the request any more; see http_ref). */
void http_set_state(struct http_request *r, void *state, void (*free_fn)(void *));
void *http_state(const struct http_request *r);
/*
 * Keeps the struct alive across an asynchronous call; http_is_gone tells whether the client left
 * (then http_respond and friends do nothing). Every ref is unref'd by the callback that needed it.
 */
struct http_request *http_ref(struct http_request *r);
void http_unref(struct http_request *r);
bool http_is_gone(const struct http_request *r);

/* Extra response header (Location, Link, Retry-After); before respond. ERR_TOO_LARGE. */
MUST_CHECK int http_add_header(struct http_request *r, const char *name, const char *value);
/* Instead of "no-store", unless the answer is an error; a constant. */
void http_set_cache_control(struct http_request *r, const char *value);
/* Whole answer; the body is copied. content_type NULL = application/json. Runs once. */
void http_respond(struct http_request *r, int status, const char *content_type, const void *body,
                  size_t len);
/* {"error","code","details"} with the problem's status. */
void http_respond_problem(struct http_request *r, const struct problem *p);
/* What an asynchronous handler ends with: the problem, or the JSON of body, which an encoder made
 * with result `encoded`. Drops the handler's reference. */
void http_answer(struct http_request *r, const struct problem *p, int status, int encoded,
                 const struct buf *body);

/*
 * A streamed answer of unknown length (chunked transfer coding, RFC 9112 7.1): pull is called when
 * the socket can take more; it appends at most ~64 KiB to out and returns 0; ERR_AGAIN: nothing now
 * (call http_stream_wake later); ERR_END: done after what out holds; other errors cut the
 * connection so that the client sees the body is incomplete.
 */
typedef int (*http_pull_fn)(struct http_request *r, void *state, struct buf *out);
void http_stream_begin(struct http_request *r, int status, const char *content_type,
                       http_pull_fn pull);
void http_stream_wake(struct http_request *r);

/* ---- routes ---- */
typedef void (*http_handler_fn)(struct http_request *r);
struct route {
    enum http_method method;
    enum policy_action action; /* whether the role may try it is checked before the handler */
    const char *pattern;       /* "/api/v1/executions/{id}/status"; {name...} matches the rest */
    http_handler_fn handler;
};
/* The table of all routes (routes.c); one array per resource file. */
extern const struct route routes_executions[], routes_logs[], routes_health[], routes_web[],
    routes_tickets[], routes_log_events[], routes_metrics[], routes_session[];
extern const size_t routes_executions_count, routes_logs_count, routes_health_count,
    routes_web_count, routes_tickets_count, routes_log_events_count, routes_metrics_count,
    routes_session_count;

extern const struct route routes_images[], routes_audit[], routes_trace[];
extern const size_t routes_images_count, routes_audit_count, routes_trace_count;
extern const struct route routes_secrets[];
extern const size_t routes_secrets_count;
extern const struct route routes_users[], routes_api_keys[];
extern const size_t routes_users_count, routes_api_keys_count;

#endif
