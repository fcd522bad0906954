/*
 * The extension as libwebsockets 4.1 calls it, and the encoder behind it. Outgoing frames pass it
 * untouched (raw writes do); of what comes in it collects a compressed message, whose life is
 *
 *   first fragment with RSV1 ─▶ collected … ─▶ final: inflated, handed on as if it had come so
 */
#include "gateway/stream_deflate.h"

#include "base/err.h"
#include "gateway/deflate.h"
#include "gateway/stream_frames.h"
#include "gateway/stream_internal.h"

#include <string.h>

#define HEADER_SIZE 256 /* libwebsockets refuses longer ones */
#define RSV1 0x40u

/* What libwebsockets hands to an extension and takes from it; private to it, the same in 4.x. */
struct payload {
    struct lws_tokens in, out;
};
enum { PAYLOAD_AS_IT_IS = 0, PAYLOAD_MORE_TO_COME = 3, PAYLOAD_COMPLETE = 4 };

struct stream_deflater {
    struct deflate *codec;
    struct buf plain;
    int plain_kind;
    size_t max_message;
};

/* Of one connection. */
struct inbound {
    bool is_compressed; /* the message under way */
    bool is_in_frame;   /* more of the same frame follows */
    struct buf message;
};

/* ---- the encoder ---- */

int stream_deflater_new(size_t max_message, int plain_kind, struct stream_deflater **ret)
{
    struct stream_deflater *d = calloc(1, sizeof *d);
    int r;

    if (!d)
        return ERR_NOMEM;
    r = deflate_new(max_message, &d->codec);
    if (r != 0) {
        free(d);
        return r;
    }
    buf_init(&d->plain, (size_t)STREAM_LINE_PAYLOAD_MAX * 4);
    d->plain_kind = plain_kind;
    d->max_message = max_message;
    *ret = d;
    return 0;
}

void stream_deflater_free(struct stream_deflater *d)
{
    if (!d)
        return;
    deflate_free(d->codec);
    buf_done(&d->plain);
    free(d);
}

int stream_encode_deflated(void *user, const struct execution_id *id, const struct chunk *c,
                           uint32_t first_line, struct buf *out)
{
    struct stream_deflater *d = user;
    const struct frame *made = first_line == 0 ? c->frames[d->plain_kind] : NULL;
    int r;

    if (made)
        return deflate_frames(d->codec, made->bytes, made->len, out);
    r = stream_encode_tailgate(NULL, id, c, first_line, &d->plain);
    if (r == 0)
        r = deflate_frames(d->codec, (const uint8_t *)d->plain.data, d->plain.len, out);
    buf_done(&d->plain);
    return r;
}

void stream_use_deflate(void *session)
{
    struct stream *s = session;

    s->deflates = s->st->deflater != NULL;
}

/* ---- negotiation ---- */

static int read_offer(struct lws *wsi, struct deflate_offer *ret)
{
    char header[HEADER_SIZE];

    if (lws_hdr_copy(wsi, header, sizeof header, WSI_TOKEN_EXTENSIONS) <= 0)
        return ERR_NOT_FOUND;
    return deflate_offer_parse(header, ret);
}

int stream_confirm_extension(struct lws *wsi)
{
    struct deflate_offer offer;

    if (stream_request_endpoint(wsi) != STREAM_AT_SESSION)
        return 1; /* Runvoy's messages of one line each would not become smaller */
    return read_offer(wsi, &offer) == 0 ? 0 : 1;
}

/* The answer must be one header, and libwebsockets only repeats parameters that were offered: so
 * ours go where its line has just ended. */
int stream_complete_answer(struct lws *wsi, struct lws_process_html_args *args)
{
    static const char end[] = DEFLATE_NAME "\r\n";
    struct deflate_offer offer;
    const char *parameters;
    size_t len;

    if (read_offer(wsi, &offer) != 0)
        return -1;
    parameters = deflate_answer(&offer);
    len = strlen(parameters);
    if (memcmp(args->p - (sizeof end - 1), end, sizeof end - 1) != 0 ||
        args->max_len < (int)len + 2)
        return -1;
    memcpy(args->p - 2, parameters, len);
    memcpy(args->p - 2 + len, "\r\n", 2);
    args->p += len;
    args->max_len -= (int)len;
    return 0;
}

/* ---- the extension ---- */

static int construct(struct lws *wsi, void **ret_inbound,
                     const struct lws_ext_options **ret_options)
{
    static const struct lws_ext_options none[] = {{NULL, 0}};
    struct stream_slot *slot = lws_wsi_user(wsi);
    struct inbound *in = slot ? calloc(1, sizeof *in) : NULL;

    if (!in)
        return -1;
    slot->deflates = true;
    *ret_inbound = in;
    *ret_options = none;
    return 0;
}

static int destroy(struct inbound *in)
{
    if (in)
        buf_done(&in->message);
    free(in);
    return 0;
}

/* The stream closes; the rest of the message is dropped. */
static int refuse(struct stream *s, struct inbound *in, struct payload *p, unsigned code,
                  const char *reason)
{
    buf_done(&in->message);
    stream_close(s, code, reason);
    p->in.len = p->out.len = 0;
    return PAYLOAD_MORE_TO_COME;
}

static int refuse_for(struct stream *s, struct inbound *in, struct payload *p, int err)
{
    if (err == ERR_TOO_LARGE)
        return refuse(s, in, p, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "the message is too long");
    if (err == ERR_NOMEM)
        return refuse(s, in, p, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
    return refuse(s, in, p, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "the message does not inflate");
}

static int hand_on(struct lws *wsi, struct stream *s, struct inbound *in, struct payload *p)
{
    char *text;
    size_t len;
    int r;

    p->in.len = p->out.len = 0;
    if (!lws_is_final_fragment(wsi))
        return PAYLOAD_MORE_TO_COME;
    in->is_compressed = false;
    r = deflate_inflate(s->st->deflater->codec, in->message.data ? in->message.data : "",
                        in->message.len, &text, &len);
    buf_done(&in->message);
    if (r != 0)
        return refuse_for(s, in, p, r);
    p->out.token = (unsigned char *)text;
    p->out.len = (int)len;
    return PAYLOAD_COMPLETE;
}

/* A pong between two fragments comes this way too, and nothing tells it apart but that it repeats
 * the one byte of our ping. */
static bool is_pong(const struct inbound *in, const struct payload *p)
{
    return !in->is_in_frame && p->in.len == 1 && p->in.token[0] == STREAM_PING_BYTE;
}

static int receive(struct lws *wsi, struct inbound *in, struct payload *p)
{
    struct stream_slot *slot = lws_wsi_user(wsi);
    struct stream *s = slot->session;
    int r;

    if (lws_is_first_fragment(wsi)) {
        if (!in->is_in_frame)
            in->is_compressed = (lws_get_reserved_bits(wsi) & RSV1) != 0;
    } else if (in->is_compressed && is_pong(in, p)) {
        return PAYLOAD_AS_IT_IS;
    }
    if (!in->is_compressed || !s || s->state == STREAM_CLOSING)
        return PAYLOAD_AS_IT_IS;
    in->is_in_frame = lws_remaining_packet_payload(wsi) > 0;
    in->message.max = s->st->deflater->max_message;
    r = buf_append(&in->message, p->in.token, (size_t)p->in.len);
    return r == 0 ? hand_on(wsi, s, in, p) : refuse_for(s, in, p, r);
}

static int extension(struct lws_context *context, const struct lws_extension *ext, struct lws *wsi,
                     enum lws_extension_callback_reasons reason, void *user, void *in, size_t len)
{
    (void)context;
    (void)ext;
    (void)len;
    switch ((int)reason) {
    case LWS_EXT_CB_CONSTRUCT:
        return construct(wsi, user, in);
    case LWS_EXT_CB_DESTROY:
        return destroy(user);
    case LWS_EXT_CB_PAYLOAD_RX:
        return receive(wsi, user, in);
    default:
        return 0;
    }
}

const struct lws_extension stream_extensions[] = {
    {.name = DEFLATE_NAME, .callback = extension, .client_offer = DEFLATE_NAME},
    {.name = NULL},
};
