/*
 * What the files of the WebSocket side share. A stream is one socket, a sub one execution read on
 * it: a cursor and what of its current frame is not yet sent.
 *
 *   stream: established ─▶ WAITING (tailgate.v1 without a key) ─▶ BUSY (asked who it is) ─▶ OPEN
 *             ─▶ CLOSING (code and reason set, what is queued goes out first) ─▶ stream_closed
 *   sub:    born, its row asked for ─▶ reading (cursor open) ─▶ ended, unsubscribed or refused
 *
 * Everything that is sent is raw frames: out holds the small ones (control messages, lines that are
 * cheaper to copy than to send alone), a sub's frame the shared large ones. Both are written when
 * it is the stream's turn (stream_turn.c), cut between frames so that lws may put its own pongs
 * there.
 */
#ifndef TAILGATE_GATEWAY_STREAM_INTERNAL_H
#define TAILGATE_GATEWAY_STREAM_INTERNAL_H

#include "base/list.h"
#include "gateway/client_address.h"
#include "gateway/stream.h"

/* Bytes of one write of shared frames: a full chunk of either kind goes out at once, and what a
 * slow socket leaves of it in lws stays small. */
#define STREAM_WRITE_MAX (128u << 10)
/* Frames below are collected in out before they are sent when more are waiting: copying 4 KiB costs
 * less than a tenth of a send(). */
#define STREAM_GATHER_FRAME_MAX (4u << 10)
#define STREAM_GATHER_MAX (16u << 10)
/* What may wait in out: of a client that asks without reading the answers. */
#define STREAM_OUT_MAX (256u << 10)
/* A pong repeats the ping's payload (RFC 6455, 5.5.3), and libwebsockets 4.1 keeps an empty one to
 * itself. */
#define STREAM_PING_BYTE '!'
#define STREAM_MESSAGE_MAX (16u << 10) /* a control message: a few names and texts */
/* What a reader that took nothing gets as SO_SNDBUF at the end: room for the rest that
 * libwebsockets holds, and the close frame behind it. */
#define STREAM_FAREWELL_SNDBUF (512 << 10)
/* Runvoy's CLI loses lines when disconnect follows the last one within 250 ms; the rest is for what
 * the network and the reader take. */
#define STREAM_LINGER_MS 300
/* How long a close may wait for the socket to take what is queued. */
#define STREAM_CLOSE_WAIT_MS 5000
/* A reader that digests slowly answers a ping only behind what its kernel took before (at most
 * about 6 MiB, tcp_rmem): for each so many bytes the pong may come a millisecond later. Browsers
 * were seen at 160 bytes a ms. */
#define STREAM_DIGEST_BYTES_PER_MS 64
#define STREAM_DIGEST_BYTES_MAX (8u << 20)

enum stream_state { STREAM_WAITING, STREAM_BUSY, STREAM_OPEN, STREAM_CLOSING };

#define STREAM_CLOSE_TRY_AGAIN 1013
#define STREAM_CLOSE_UNAUTHENTICATED 4401
#define STREAM_CLOSE_AUTH_TIMEOUT 4408

struct streams {
    struct server *server;
    struct stream_kinds kinds;
    struct stream_deflater *deflater; /* NULL without --stream-deflate */
    struct loop_timer *sweep;
    struct loop_timer *linger_timer;
    struct list sessions;  /* stream.node */
    struct list lingering; /* stream.linger, the earliest first */
    struct list turns;     /* stream.turn: those that have something to send */
    struct loop_defer *turn;
    struct list waiting; /* stream_op.node: not asked yet */
    struct list asked;
    size_t asking; /* how many are asked */
    size_t count;
    struct streams_stats stats;
    char idle_reason[64]; /* names --reader-idle-timeout */
    bool leaving, is_asking;
};

struct stream;
struct sub;

/* One question to the orchestrator; lives until its answer. Who asked may be gone by then. */
struct stream_op {
    struct list node;
    struct streams *st;    /* NULL: they are gone too */
    struct stream *stream; /* NULL: nobody waits any more */
    struct sub *sub;       /* NULL: the stream asks for itself */
    char *key;
    int64_t user_key;
    int (*start)(struct stream_op *op, struct problem *p);
    void (*refused)(struct stream *s, struct sub *sub, const struct problem *p);
    bool is_asked;
};
typedef int (*stream_start_fn)(struct stream_op *op, struct problem *p);
typedef void (*stream_refused_fn)(struct stream *s, struct sub *sub, const struct problem *p);

struct sub {
    struct list node;  /* stream.subs */
    struct list ready; /* stream.ready while there may be something to send */
    struct stream *stream;
    struct stream_op *op; /* while its row is asked for */
    struct topic *topic;
    struct cursor *cursor;
    struct frame *frame; /* sent up to offset */
    size_t offset;
    struct execution_id id;
    uint64_t from;       /* after, or lines of the tail */
    uint64_t target;     /* without follow: the last line to send */
    int64_t version;     /* of the last state told */
    bool is_unreachable; /* so it was told */
    int64_t opened_us;   /* lines from before it are history: no latency of ours */
    bool is_tail, follow, live;
};

struct stream {
    struct list node;
    struct list linger;
    struct list turn; /* in streams.turns while it waits to write */
    struct streams *st;
    struct lws *wsi;
    struct list subs, ready;
    struct stream_list *list; /* the live list, when it is subscribed to */
    struct stream_op *op;     /* authentication under way */
    struct buf out;
    struct buf in; /* a message that came in parts */
    uint64_t id;   /* random; its hex is the request id and hello's session */
    uint64_t sent_bytes;
    uint64_t ping_bytes; /* of them written before the ping that is waited for */
    uint64_t pong_bytes; /* of them written before the last ping that was answered */
    int64_t opened_ms;
    int64_t ping_ms;      /* when the next ping is due, or since when a pong is waited for */
    int64_t taken_ms;     /* when nothing was unsent, or the peer was last seen to take something */
    uint64_t taken_bytes; /* that its kernel had taken by then */
    int64_t close_ms;     /* CLOSING: since when */
    int64_t linger_ms;    /* when the disconnect message is due */
    const char *close_reason;
    unsigned n_subs;
    uint16_t close_code;
    uint8_t state; /* enum stream_state */
    bool is_runvoy, is_pinged;
    bool deflates;     /* negotiated: lines go as deflated frames */
    bool is_choked;    /* WRITEABLE was asked for */
    bool peer_left;    /* its close frame came; libwebsockets answers, and nothing follows */
    bool said_goodbye; /* the close frame is libwebsockets' affair now */
    struct principal who;
    char client[ADDRESS_TEXT_SIZE]; /* where it is, behind proxies that are trusted */
};

#define STREAM_ID_SIZE 17
void stream_id_text(uint64_t number, char ret[STREAM_ID_SIZE]);

/* ---- stream_send.c ---- */
/*
 * Queues a text message that one of wire's encoders has appended to *message with result r, and
 * frees it. One that finds no room in out closes the stream with 1008: the peer does not read its
 * answers.
 */
void stream_send(struct stream *s, int r, struct buf *message);
#define STREAM_MESSAGE            \
    {                             \
        .max = STREAM_MESSAGE_MAX \
    }
void stream_send_ping(struct stream *s);
/* {"type":"error"} of the problem; id may be NULL. */
void stream_send_error(struct stream *s, const struct execution_id *id, const struct problem *p,
                       bool fatal);
/* Whether nothing that was queued waits here, in lws or unsent in the kernel (acknowledged: not
 * even unconfirmed by the peer's). */
bool stream_is_drained(const struct stream *s, bool acknowledged);
/* One write of what is ready. ERR_CLOSED: the socket is dead. */
MUST_CHECK int stream_write(struct stream *s);
/* Whether another write would have something to send, as far as is known. */
bool stream_has_more(const struct stream *s);
/* Ends all reading; what is queued goes out, then the close frame. reason: static, at most 123
 * bytes (RFC 6455 5.5). Only the first call counts. */
void stream_close(struct stream *s, unsigned code, const char *reason);

/* ---- stream_turn.c ---- */
/* There is something to send, or a close to finish: its turn comes. */
void stream_want_write(struct stream *s);
/* Serves those in line; the loop's deferred call. */
void stream_turn(void *streams);

/* ---- stream_sub.c ---- */
/* ERR_NOMEM. */
MUST_CHECK int sub_new(struct stream *s, const struct execution_id *id, struct sub **ret);
void sub_free(struct sub *sub);
struct sub *sub_find(const struct stream *s, const struct execution_id *id);
/* Asks for the row; the answer opens the cursor. A failure, now or then, is told to the client. */
void sub_start(struct sub *sub);
/*
 * Brings what is next: sub->frame, or messages in s->out. ERR_AGAIN: nothing now, it leaves the
 * ready list; ERR_END: all was given out, the caller frees it; ERR_NOMEM; ERR_CLOSED: a message
 * found no room, the stream closes and sub is gone.
 */
MUST_CHECK int sub_fill(struct sub *sub);

/* ---- stream_ask.c: questions to the orchestrator ---- */
/* Questions of all streams under way at once; more wait for their turn. A fraction of what the
 * database's queue takes (1024), so that API calls find room in it. */
#define STREAM_ASKING_MAX 64
/*
 * Makes start call the orchestrator with the op, now or when it is its turn; its callback begins
 * with stream_op_done. refused: start failed. key is copied, NULL = none. ERR_NOMEM.
 */
MUST_CHECK int stream_ask(struct stream *s, struct sub *sub, const char *key, int64_t user_key,
                          stream_start_fn start, stream_refused_fn refused);
/* The answer came: the op is freed. False when nobody waits for it. */
bool stream_op_done(struct stream_op *op, struct stream **ret_s, struct sub **ret_sub);
/* Nobody waits for the answer any more; NULL is fine. */
void stream_op_forget(struct stream_op *op);
/* The streams go before the answers do. */
void stream_ask_free(struct streams *st);

/* ---- stream_auth.c ---- */
/* Closes with the problem's code and reason; tailgate.v1 is told before. */
void stream_refuse(struct stream *s, const struct problem *p);
/* By key, or by the user of a stream token (key NULL); goes on in …_authenticated. */
void stream_authenticate(struct stream *s, const char *key, int64_t user_key);
/* The same by a ticket, which is used then. */
void stream_authenticate_ticket(struct stream *s, const char *ticket);

/* ---- the two endpoints ---- */
/* Who was found: tailgate.v1 says hello, Runvoy's stream begins to read. */
void session_authenticated(struct stream *s);
void session_established(struct stream *s);
void session_received(struct stream *s, const void *in, size_t len);
void runvoy_authenticated(struct stream *s);
void runvoy_established(struct stream *s);
/* The last line was handed to the socket: disconnect follows after STREAM_LINGER_MS. */
void runvoy_finished(struct stream *s);
void runvoy_linger_tick(void *streams);

/* ---- stream_request.c: what the upgrade's headers say ---- */
enum stream_endpoint { STREAM_NOWHERE, STREAM_AT_RUNVOY, STREAM_AT_SESSION };
struct runvoy_request {
    struct execution_id id;
    int64_t user_key;
    uint64_t after;
};
enum stream_endpoint stream_request_endpoint(struct lws *wsi);
/* A query parameter, decoded. ERR_NOT_FOUND; ERR_TOO_LARGE. */
MUST_CHECK int stream_request_arg(struct lws *wsi, const char *name, char *ret, size_t size);
/* X-API-Key, or Authorization: Bearer. ERR_NOT_FOUND; ERR_TOO_LARGE. */
MUST_CHECK int stream_request_key(struct lws *wsi, char *ret, size_t size);
/* Runvoy's parameters, checked. ERR_INVALID, ERR_UNAUTHORIZED, ERR_FORBIDDEN (p filled). */
MUST_CHECK int stream_request_runvoy(const struct streams *st, struct lws *wsi,
                                     struct runvoy_request *ret, struct problem *p);

/* ---- stream_sweep.c: pings, deadlines ---- */
void stream_sweep_init(struct streams *st);
void stream_sweep(void *streams);

#endif
