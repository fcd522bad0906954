/*
 * The WebSocket side. Two endpoints share the session, cursor and frame code (stream_send.c,
 * stream_sub.c, stream_frames.c):
 *   /api/v1/stream  Runvoy's stream (stream_runvoy.c), no subprotocol
 *   /api/v1/ws      tailgate.v1 (stream_session.c)
 * server.c owns the protocols table and calls these from its lws callback: one named function a
 * case.
 */
#ifndef TAILGATE_GATEWAY_STREAM_H
#define TAILGATE_GATEWAY_STREAM_H

#include "base/metrics.h"
#include "gateway/server.h"

#include <libwebsockets.h>

/* Name of the protocols table's entry whose upgrades are tailgate.v1's; a client that offers no
 * subprotocol gets the table's default, whatever its name. */
#define STREAM_SUBPROTOCOL "tailgate.v1"
/* tx_packet_size of both entries: the largest block that is written at once (one line that escapes
 * to six times its size, in its frame). Smaller, and lws copies what is left of every write. */
#define STREAM_TX_PACKET_SIZE (512u << 10)

/* Encoders of both wire forms, registered at the hub. ERR_NOMEM, ERR_LIMIT. Called by streams_new.
 */
struct stream_kinds {
    int tailgate, runvoy;
    int deflated; /* with --stream-deflate only */
};
MUST_CHECK int stream_register_encoders(struct hub *h, struct stream_kinds *ret);

/* All streams of a server: created by server_new, told when leaving. */
struct streams;
MUST_CHECK int streams_new(struct server *s, struct streams **ret);
/* After the last stream_closed, that is after lws' context is gone. */
void streams_free(struct streams *st);
/* Closes every stream with 1001; none is accepted from now on. */
void streams_leave(struct streams *st);
/* Closes with 4401 those whose reader is on the list. */
struct revoked;
void streams_revoke(struct streams *st, const struct revoked *list);
size_t streams_count(const struct streams *st);
/* Figures since the start. */
struct streams_stats {
    uint64_t opened, sent_lines, sent_bytes;
    struct metrics_histogram commit_to_send; /* of frames, once a reader: commit to the last byte */
};
const struct streams_stats *streams_stats(const struct streams *st);

/*
 * LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION of any upgrade, before it happens: path, Origin (403),
 * Runvoy's token (401/403), leaving (503), too many (503). Non-zero: the refusal was sent, return
 * it.
 */
int stream_filter_upgrade(struct streams *st, struct lws *wsi);
/* lws' per-session memory. */
struct stream_slot {
    void *session; /* a struct stream */
    bool deflates; /* permessage-deflate was negotiated */
};
/* The rest; client: its address, for the audit; session: the slot's. 0, or -1 to close. */
int stream_established(struct streams *st, struct lws *wsi, const char *client, void **session);
int stream_received(void *session, const void *in, size_t len);
int stream_writeable(void *session);
int stream_pong(void *session);
/* LWS_CALLBACK_WS_PEER_INITIATED_CLOSE. */
int stream_peer_left(void *session);
void stream_closed(void *session);

#endif
