/*
 * HTTP/1.1 requests over one local unix socket, on the loop: libcurl's multi interface behind the
 * few things an engine's API needs. Answers are collected up to a maximum, or handed on in pieces
 * as they come (progress, events).
 *
 *   call: begun ─(answer's last byte, failure, deadline)▶ done called ▶ freed
 *           └────────────────(http_call_cancel)─────────────────────▶ freed
 */
#ifndef TAILGATE_ORCHESTRATOR_ENGINES_HTTP_CLIENT_H
#define TAILGATE_ORCHESTRATOR_ENGINES_HTTP_CLIENT_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/loop.h"

struct http_client;
struct http_call;

/* socket_path is copied. ERR_NOMEM. */
MUST_CHECK int http_client_new(struct loop *l, const char *socket_path, struct http_client **ret);
/* Cancels all calls. Not inside a callback of one. NULL is fine. */
void http_client_free(struct http_client *c);

struct http_answer {
    long status;      /* 0 when err is set */
    const char *body; /* NUL-terminated; "" when handed on in pieces */
    size_t len;
};
/* err: 0 = answered, whatever the status; ERR_TIMEOUT; ERR_TOO_LARGE; ERR_CLOSED = the server is
 * not reachable or went away in the middle; what on_piece returned. *p tells why to a person. */
typedef void (*http_done_fn)(void *user, int err, const struct problem *p,
                             const struct http_answer *a);
/* Bytes of an answer with a status below 300 (others are collected, so that done has the server's
 * words). Neither http_call nor http_call_cancel may be called in it. Not 0: the call ends so. */
typedef int (*http_piece_fn)(void *user, const void *bytes, size_t n);

struct http_call_opts {      /* borrowed for the call of http_call */
    const char *method;      /* "GET" */
    const char *target;      /* path and query, encoded: "/v1.41/info" */
    const char *body;        /* copied; NULL = none */
    const char *header;      /* one more, "Name: value"; NULL = none */
    int64_t timeout_ms;      /* for the whole; 0 = none */
    int64_t idle_timeout_ms; /* without a byte of the answer; whole seconds; 0 = none */
    size_t answer_max;       /* bytes collected */
    http_piece_fn on_piece;  /* NULL: all is collected */
    http_done_fn done;
    void *user;
};
/* done is never called before it returns. ERR_NOMEM, ERR_INTERNAL: done will not be called. */
MUST_CHECK int http_call(struct http_client *c, const struct http_call_opts *opts,
                         struct http_call **ret);
/* Without a callback. NULL is fine. Not after done was called. */
void http_call_cancel(struct http_call *call);

#endif
