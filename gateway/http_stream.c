/*
 * Streamed answers: made in pieces as the socket takes them. Each piece is one chunk whose size was
 * left room for in front (RFC 9112 7.1 allows leading zeros), so that nothing is copied.
 */
#include "base/log.h"
#include "gateway/http_internal.h"

#include <stdio.h>
#include <string.h>

#define CHUNK_HEAD_LEN 10u /* 8 digits, CR LF */

void http_stream_begin(struct http_request *r, int status, const char *content_type,
                       http_pull_fn pull)
{
    if (http_is_gone(r) || r->phase >= HTTP_SENDING)
        return;
    r->status = status;
    r->must_close = r->must_close || r->is_http10;
    if (http_append_head(r, status, content_type, -1, &r->out)) {
        connection_kill(r->conn);
        return;
    }
    r->out.max = HTTP_PIECE_MAX + CHUNK_HEAD_LEN + 16;
    r->pull = pull;
    r->pull_ended = r->is_head;
    http_set_phase(r, HTTP_STREAMING);
    connection_want_write(r->conn);
}

void http_stream_wake(struct http_request *r)
{
    r->pull_waits = false;
    if (!http_is_gone(r) && r->phase == HTTP_STREAMING)
        connection_want_write(r->conn);
}

/* Closes the chunk that begins at the start of out; an empty one is taken back. */
static int end_chunk(struct buf *out)
{
    char head[CHUNK_HEAD_LEN + 1];
    size_t len = out->len - CHUNK_HEAD_LEN;
    if (len == 0) {
        buf_clear(out);
        return 0;
    }
    (void)snprintf(head, sizeof(head), "%08x\r\n", (unsigned)len); /* at most HTTP_PIECE_MAX */
    memcpy(out->data, head, CHUNK_HEAD_LEN);
    return buf_append_str(out, "\r\n");
}

int http_stream_fill(struct http_request *r)
{
    int err = r->is_http10 ? 0 : buf_append(&r->out, "00000000\r\n", CHUNK_HEAD_LEN);
    if (err)
        return err;
    r->pull_waits = false;
    log_set_request_id(r->id);
    err = r->pull(r, r->state, &r->out);
    log_set_request_id(NULL);
    if (http_is_gone(r) || (err && err != ERR_AGAIN && err != ERR_END))
        return err;
    r->pull_waits = err == ERR_AGAIN;
    r->pull_ended = err == ERR_END;
    if (r->is_http10)
        return err;
    int framed = end_chunk(&r->out);
    if (!framed && r->pull_ended)
        framed = buf_append_str(&r->out, "0\r\n\r\n");
    return framed ? framed : err;
}
