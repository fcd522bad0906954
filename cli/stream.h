/*
 * One WebSocket connection at a time to /api/v1/ws, subprotocol tailgate.v1, on libwebsockets' own
 * poll loop; and on the same loop one timer and the signals.
 *
 *   stream_new ── stream_connect ──▶ opened ── message … ──▶ lost ── stream_connect …
 *                       └──────────────────────────────────▶ lost
 *
 * While a callback blocks (a slow terminal), nothing is read from the server.
 */
#ifndef TAILGATE_CLI_STREAM_H
#define TAILGATE_CLI_STREAM_H

#include "cli/follow.h"
#include "cli/interrupt.h"
#include "cli/settings.h"

#include <stddef.h>
#include <stdint.h>

/* The server's largest message is a chunk of 64 KiB as JSON, at worst six bytes a byte. */
#define STREAM_MESSAGE_MAX ((size_t)1 << 20)
/* What we send is one subscription. */
#define STREAM_SEND_MAX ((size_t)4096)

struct stream;

struct stream_events {
    void (*opened)(void *user);
    /* Non-zero closes the connection; lost follows. */
    int (*message)(void *user, const char *text, size_t len);
    /* Once for each stream_connect, unless stream_free comes first. */
    void (*lost)(void *user, const struct stream_end *end);
    void (*timer)(void *user);
    void (*signal)(void *user);
};

/* settings and intr must outlive it. ERR_NOMEM, ERR_SYS fill *p. */
MUST_CHECK int stream_new(const struct settings *settings, struct interrupt *intr,
                          const struct stream_events *events, void *user, struct stream **ret,
                          struct problem *p);
void stream_free(struct stream *s);
/* Begins to connect; what becomes of it comes as opened or lost, perhaps before this returns. */
void stream_connect(struct stream *s);
/* Queues one text message; only one at a time. ERR_NOMEM, ERR_TOO_LARGE. */
MUST_CHECK int stream_send(struct stream *s, const char *text, size_t len);
/* Calls timer once, after delay_ms. */
void stream_start_timer(struct stream *s, int64_t delay_ms);
/* Waits for events and calls back. ERR_SYS: the loop is broken. */
MUST_CHECK int stream_turn(struct stream *s);

#endif
