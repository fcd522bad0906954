/*
 * Questions to the orchestrator that a stream may not live to hear answered. The op belongs to the
 * call; the asker and the op point at each other until one of them is done.
 */
#include "gateway/stream_internal.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdio.h>

void stream_id_text(uint64_t number, char ret[STREAM_ID_SIZE])
{
    (void)snprintf(ret, STREAM_ID_SIZE, "%016" PRIx64, number);
}

int stream_op_new(struct stream *s, struct sub *sub, struct stream_op **ret)
{
    struct stream_op *op = malloc(sizeof *op);

    if (!op)
        return ERR_NOMEM;
    op->stream = s;
    op->sub = sub;
    *ret = op;
    return 0;
}

bool stream_op_done(struct stream_op *op, struct stream **ret_s, struct sub **ret_sub)
{
    struct stream *s = op->stream;
    struct sub *sub = op->sub;

    free(op);
    if (!s)
        return false;
    if (sub)
        sub->op = NULL;
    else
        s->op = NULL;
    *ret_s = s;
    *ret_sub = sub;
    return true;
}

void stream_op_forget(struct stream_op *op)
{
    if (op)
        op->stream = NULL;
}

void stream_refuse(struct stream *s, const struct problem *p)
{
    unsigned code = LWS_CLOSE_STATUS_UNEXPECTED_CONDITION;
    const char *reason = "internal error";

    switch (p->err) {
    case ERR_UNAUTHORIZED:
    case ERR_BAD_KEY:
        code = STREAM_CLOSE_UNAUTHENTICATED;
        reason = "authentication failed";
        break;
    case ERR_REVOKED:
        code = STREAM_CLOSE_UNAUTHENTICATED;
        reason = "the key or its user was revoked";
        break;
    case ERR_NOT_FOUND:
        code = LWS_CLOSE_STATUS_POLICY_VIOLATION;
        reason = "execution not found";
        break;
    case ERR_FORBIDDEN:
        code = LWS_CLOSE_STATUS_POLICY_VIOLATION;
        reason = "not allowed to read this execution";
        break;
    case ERR_DB_AWAY:
    case ERR_DB:
    case ERR_TIMEOUT:
    case ERR_LIMIT:
        code = STREAM_CLOSE_TRY_AGAIN;
        reason = "the database is away, try again later";
        break;
    case ERR_CLOSED:
        code = LWS_CLOSE_STATUS_GOINGAWAY;
        reason = "the server is leaving, reconnect";
        break;
    default:
        break;
    }
    log_info("stream refused", "error", err_name(p->err), "details", p->details);
    if (!s->is_runvoy)
        stream_send_error(s, NULL, p, true);
    stream_close(s, code, reason);
}

static void on_principal(void *user, const struct problem *p, const struct principal *who)
{
    char id[STREAM_ID_SIZE];
    struct stream *s;
    struct sub *sub;

    if (!stream_op_done(user, &s, &sub))
        return;
    stream_id_text(s->id, id);
    log_set_request_id(id);
    if (p) {
        stream_refuse(s, p);
    } else {
        s->who = *who;
        s->state = STREAM_OPEN;
        if (s->is_runvoy)
            runvoy_authenticated(s);
        else
            session_authenticated(s);
    }
    log_set_request_id(NULL);
}

void stream_authenticate(struct stream *s, const char *key, int64_t user_key)
{
    struct orchestrator *o = server_orchestrator(s->st->server);
    struct problem p = {0};
    struct stream_op *op;
    struct sub *sub;
    int r = stream_op_new(s, NULL, &op);

    if (r != 0) {
        (void)problem_set(&p, r, "failed to authenticate", "%s", "out of memory");
        stream_refuse(s, &p);
        return;
    }
    s->state = STREAM_BUSY;
    s->op = op;
    if (key)
        r = orchestrator_authenticate(o, key, on_principal, op, &p);
    else
        r = orchestrator_token_principal(o, user_key, on_principal, op, &p);
    if (r != 0 && stream_op_done(op, &s, &sub))
        stream_refuse(s, &p);
}
