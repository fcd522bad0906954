/*
 * Wire bytes of the streams: WebSocket text frames as a server sends them (RFC 6455 5.2: final,
 * unmasked), written behind each other so that a run of them goes out in one raw write.
 *
 *    0        1           2 or 4 or 10
 *   | 0x81   | len7      | [u16 | u64 big endian] | payload …
 */
#ifndef TAILGATE_GATEWAY_STREAM_FRAMES_H
#define TAILGATE_GATEWAY_STREAM_FRAMES_H

#include "base/buf.h"
#include "logs/chunk.h"

/* A message of lines stays below this: the longest payload with the short extended length. One line
 * that escapes to more goes alone; six bytes for each of CHUNK_BYTES_MAX is the most it can be. */
#define STREAM_PAYLOAD_MAX 65535u
#define STREAM_LINE_PAYLOAD_MAX (400u << 10)

#define STREAM_OP_TEXT 0x1u
#define STREAM_OP_PING 0x9u

/* A frame around what is appended between begin and end. ERR_NOMEM, ERR_TOO_LARGE; on failure of
 * either the caller cuts out back to *ret_mark. */
MUST_CHECK int stream_frame_begin(struct buf *out, size_t *ret_mark);
MUST_CHECK int stream_frame_end(struct buf *out, size_t mark, unsigned opcode);

/* Bytes of the header of the frame at p. */
size_t stream_frame_header(const uint8_t *p);
/* The most whole frames at the start of p that fit into max bytes; one frame when the first is
 * larger. p holds whole frames made here, len > 0. */
size_t stream_frames_fit(const uint8_t *p, size_t len, size_t max);

/* The hub's encoders (hub_encode_fn). tailgate.v1: frames of {"type":"logs",…}; Runvoy: a frame a
 * line. */
struct execution_id;
MUST_CHECK int stream_encode_tailgate(void *user, const struct execution_id *id,
                                      const struct chunk *c, uint32_t first_line, struct buf *out);
MUST_CHECK int stream_encode_runvoy(void *user, const struct execution_id *id,
                                    const struct chunk *c, uint32_t first_line, struct buf *out);

#endif
