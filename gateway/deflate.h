/*
 * permessage-deflate (RFC 7692) as our streams speak it: no context is kept from message to message
 * in either direction, so that a message is deflated once for all its readers and a connection
 * costs nothing. The window is 12 bits: every client that asks for a smaller one than 15 asks for
 * 12, and log lines deflate as well with it.
 */
#ifndef TAILGATE_GATEWAY_DEFLATE_H
#define TAILGATE_GATEWAY_DEFLATE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define DEFLATE_NAME "permessage-deflate"
#define DEFLATE_WINDOW_BITS 12

/* What the first offer of a Sec-WebSocket-Extensions header asks for; later ones are not looked at.
 */
struct deflate_offer {
    bool has_window; /* server_max_window_bits, which the answer must name */
};
/* ERR_NOT_FOUND: no offer, or one that cannot be accepted. */
MUST_CHECK int deflate_offer_parse(const char *header, struct deflate_offer *ret);
/* What follows the name in the answer. */
const char *deflate_answer(const struct deflate_offer *offer);

/* Both directions' states, one for all connections. */
struct deflate;
/* max: of an inflated message. ERR_NOMEM. */
MUST_CHECK int deflate_new(size_t max, struct deflate **ret);
void deflate_free(struct deflate *d);
/*
 * Appends the frames at p (whole ones, text, unmasked) with their payloads deflated and RSV1 set; a
 * frame that would not become shorter as it is. ERR_NOMEM, ERR_TOO_LARGE; out is cut back then.
 */
MUST_CHECK int deflate_frames(struct deflate *d, const uint8_t *p, size_t len, struct buf *out);
/* A message's payload, inflated: valid until the next call, and one byte behind it may be written.
 * ERR_TOO_LARGE; ERR_CORRUPT; ERR_NOMEM. */
MUST_CHECK int deflate_inflate(struct deflate *d, const void *p, size_t len, char **ret,
                               size_t *ret_len);

#endif
