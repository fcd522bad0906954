/*
 * The inside of a request, for http_*.c and authenticate.c only. Handlers see http.h.
 *
 *   READING ─▶ ASKING (whose key?) ─▶ HANDLING ─▶ SENDING (whole answer) ──▶ DONE
 *      │          └────────────────┬───────────┘└▶ STREAMING (pulls) ───────▶ DONE
 *      └──(refused: 400, 408, 413)─┴────────────▶ SENDING
 *   any ──(client went away)──▶ DONE, is_gone
 */
#ifndef TAILGATE_GATEWAY_HTTP_INTERNAL_H
#define TAILGATE_GATEWAY_HTTP_INTERNAL_H

#include "gateway/connection.h"
#include "gateway/http.h"
#include "gateway/router.h"
#include "gateway/server_internal.h"

#define HTTP_PATH_MAX 4096
#define HTTP_QUERY_MAX 32           /* parameters */
#define HTTP_EXTRA_HEADERS_MAX 8192 /* bytes */
#define HTTP_ANSWER_MAX (16u << 20) /* a whole answer; longer ones are streamed */
#define HTTP_PIECE_BYTES 65536u     /* what a pull is asked to make */
#define HTTP_WRITE_MAX 131072u      /* bytes of one write */
/* A pulled piece may be one log line of 64 KiB in JSON, where a byte is at most six. */
#define HTTP_PIECE_MAX (1u << 20)
#define HTTP_BODY_DRAIN_MS 2000 /* how long the rest of a refused body is read and dropped */

enum http_phase {
    HTTP_READING,
    HTTP_ASKING,
    HTTP_HANDLING,
    HTTP_SENDING,
    HTTP_STREAMING,
    HTTP_DONE,
};

enum http_header {
    HEADER_HOST,
    HEADER_ORIGIN,
    HEADER_AUTHORIZATION,
    HEADER_API_KEY,
    HEADER_CONTENT_LENGTH,
    HEADER_TRANSFER_ENCODING,
    HEADER_EXPECT,
    HEADER_CONNECTION,
    HEADER_FORWARDED_FOR,
    HEADER_FORWARDED_PROTO,
    HEADER_FORWARDED_HOST,
    HEADER_REQUEST_ID,
    HEADER_IDEMPOTENCY_KEY,
    HEADER_LAST_EVENT_ID,
    HEADER_PURPOSE,
    HEADER_SEC_PURPOSE,
    HEADER_ACCEPT,
    HEADER_ACCEPT_ENCODING,
    HEADER_IF_NONE_MATCH,
    HEADER_COUNT,
};

/* Chunked transfer coding of a request body (RFC 9112 7.1), decoded as it comes. */
enum chunk_phase { CHUNK_SIZE, CHUNK_EXT, CHUNK_DATA, CHUNK_DATA_END, CHUNK_TRAILER, CHUNK_END };
struct chunk_decoder {
    enum chunk_phase phase;
    uint64_t left;     /* of this chunk */
    unsigned digits;   /* of its size */
    size_t line_bytes; /* of this trailer line */
    size_t overhead;   /* extension and trailer bytes so far */
};

struct http_request {
    struct server *server;
    struct connection *conn; /* NULL once the client is gone or the answer is sent */
    unsigned refs;
    enum http_phase phase;
    enum http_method method;
    bool is_head, is_http10;
    bool must_close; /* the connection ends with this answer */
    bool cors_allowed;
    bool is_chunked, body_complete; /* of the request's body */
    bool has_principal;
    bool pull_ended, pull_waits;
    char id[33];
    char client[ADDRESS_TEXT_SIZE];
    int status;
    char *path;
    struct http_pair {
        char *name, *value;
    } query[HTTP_QUERY_MAX], params[ROUTER_PARAMS_MAX];
    size_t query_count, params_count;
    char *headers[HEADER_COUNT];
    char *public_base;
    const struct route *route;
    /* the body */
    struct buf body;
    uint64_t body_left; /* by Content-Length */
    struct chunk_decoder chunks;
    struct principal principal; /* who asks */
    /* the handler's */
    void *state;
    void (*free_state)(void *);
    /* the answer */
    struct buf extra_headers;
    const char *cache_control; /* NULL = no-store */
    struct buf out;            /* what waits to be written */
    size_t out_sent;
    http_pull_fn pull;
    uint64_t sent_bytes;
    int64_t started_us, progress_ms;
};

/* ---- http_read.c: out of libwebsockets ---- */
/* Method, path, query and headers. ERR_INVALID (*p says why), ERR_NOMEM. */
MUST_CHECK int http_read_head(struct http_request *r, struct lws *wsi, struct problem *p);

/* ---- http_body.c ---- */
/* What body the headers announce; body_complete when none. ERR_INVALID, ERR_TOO_LARGE. */
MUST_CHECK int http_body_begin(struct http_request *r, struct problem *p);
/* Bytes of it as libwebsockets gives them. ERR_INVALID, ERR_TOO_LARGE, ERR_NOMEM. */
MUST_CHECK int http_body_take(struct http_request *r, const void *in, size_t len,
                              struct problem *p);

/* ---- http.c ---- */
const char *http_header(const struct http_request *r, enum http_header h); /* NULL = absent */
void http_set_phase(struct http_request *r, enum http_phase phase);
/* libwebsockets' events of a connection; 0, or -1 to close it. */
int http_on_request(struct connection *c, struct lws *wsi);
int http_on_body(struct connection *c, const void *in, size_t len);
int http_on_body_end(struct connection *c);
int http_on_writeable(struct connection *c);
void http_on_gone(struct connection *c);
/* The rest of the request did not come in time. */
void http_on_timeout(struct connection *c);

/* ---- http_dispatch.c ---- */
void http_dispatch(struct http_request *r);
/* Sets public_base and client from the headers and the options. ERR_NOMEM. */
MUST_CHECK int http_make_public_base(struct http_request *r);

/* ---- http_respond.c ---- */
/* Appends the status line and all headers; body_len < 0: chunked (HTTP/1.0: until the close). */
MUST_CHECK int http_append_head(struct http_request *r, int status, const char *content_type,
                                int64_t body_len, struct buf *out);
void http_log_access(const struct http_request *r);
const char *http_method_name(enum http_method m);
/* Records between the two carry the request's id, which may be set already. */
bool http_log_enter(const struct http_request *r);
void http_log_leave(bool entered);
/* 405 with Allow; allowed: a bit per enum http_method. */
void http_respond_wrong_method(struct http_request *r, unsigned allowed);

/* ---- http_refused.c ---- */
/* Tells the audit of a refusal; other problems are none of its business. */
void http_note_refusal(const struct http_request *r, const struct problem *p);

/* ---- http_stream.c ---- */
/* Makes the next piece of a streamed answer in r->out. 0, ERR_AGAIN, ERR_END, or cut. */
MUST_CHECK int http_stream_fill(struct http_request *r);

/* ---- authenticate.c ---- */
/* The API key that the headers bring; NULL = none. */
const char *http_key(const struct http_request *r);
void http_authenticate(struct http_request *r, void (*next)(struct http_request *r));

#endif
