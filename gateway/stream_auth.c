/* Who a stream's reader is, by API key, by a ticket or by the user of a stream token, and
 * refusals. */
#include "gateway/stream_internal.h"

#include "base/log.h"
#include "orchestrator/tickets.h"

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

static int start(struct stream_op *op, struct problem *p)
{
    struct orchestrator *o = server_orchestrator(op->st->server);

    if (op->key)
        return orchestrator_authenticate(o, op->key, on_principal, op, p);
    return orchestrator_token_principal(o, op->user_key, on_principal, op, p);
}

static int start_ticket(struct stream_op *op, struct problem *p)
{
    return orchestrator_ticket_redeem(server_orchestrator(op->st->server), op->key, on_principal,
                                      op, p);
}

static void refused(struct stream *s, struct sub *sub, const struct problem *p)
{
    (void)sub;
    stream_refuse(s, p);
}

static void ask(struct stream *s, const char *key, int64_t user_key, stream_start_fn how)
{
    struct problem p;
    int r;

    s->state = STREAM_BUSY;
    r = stream_ask(s, NULL, key, user_key, how, refused);
    if (r != 0) {
        (void)problem_set(&p, r, "failed to authenticate", "%s", "out of memory");
        stream_refuse(s, &p);
    }
}

void stream_authenticate(struct stream *s, const char *key, int64_t user_key)
{
    ask(s, key, user_key, start);
}

void stream_authenticate_ticket(struct stream *s, const char *ticket)
{
    ask(s, ticket, 0, start_ticket);
}
