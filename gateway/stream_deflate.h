/*
 * permessage-deflate on tailgate.v1's connections (--stream-deflate). libwebsockets negotiates and
 * parses; its own extension would hold both zlib states for each connection (about 100 kB), so ours
 * takes its place, with one pair of states for all (deflate.h).
 */
#ifndef TAILGATE_GATEWAY_STREAM_DEFLATE_H
#define TAILGATE_GATEWAY_STREAM_DEFLATE_H

#include "gateway/stream.h"

/* For the vhost; ended by an empty one. */
extern const struct lws_extension stream_extensions[];
/* LWS_CALLBACK_CONFIRM_EXTENSION_OKAY: 0 accepts. */
int stream_confirm_extension(struct lws *wsi);
/* LWS_CALLBACK_ADD_HEADERS of an upgrade that accepted it: completes the header that libwebsockets
 * has written. 0, or -1 to refuse. */
int stream_complete_answer(struct lws *wsi, struct lws_process_html_args *args);

/* Lines are sent deflated to it: the extension was negotiated. */
void stream_use_deflate(void *session);

/* What the streams of a server share; the encoder's user. */
struct stream_deflater;
MUST_CHECK int stream_deflater_new(size_t max_message, int plain_kind,
                                   struct stream_deflater **ret);
void stream_deflater_free(struct stream_deflater *d);
/* A hub_encode_fn: stream_encode_tailgate's frames, each deflated. */
MUST_CHECK int stream_encode_deflated(void *user, const struct execution_id *id,
                                      const struct chunk *c, uint32_t first_line, struct buf *out);

#endif
