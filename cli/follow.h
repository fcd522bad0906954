/*
 * When to connect again, and when to give up. Knows no sockets: it is told what happened and when.
 *
 *   connected ──lost──▶ waiting (0.2 s, doubled to 5 s, half of it random) ──▶ connecting
 *       ▲                   │ no progress for reconnect_timeout: gives up       │
 *       └──── progress ─────┴──────────────────── lost ◀────────────────────────┘
 */
#ifndef TAILGATE_CLI_FOLLOW_H
#define TAILGATE_CLI_FOLLOW_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

#define FOLLOW_DELAY_MIN_MS 200
#define FOLLOW_DELAY_MAX_MS 5000
#define FOLLOW_TIMEOUT_MS 60000

/* How a connection, or an attempt at one, ended. */
struct stream_end {
    int close_code;   /* RFC 6455 7.4; 0 = none came */
    int http_status;  /* of a refused handshake; 0 = none came */
    char reason[224]; /* "" = none given */
};

struct follow {
    int64_t timeout_ms;
    bool retry_first; /* the server is known to be there: also a first attempt is repeated */
    bool had_progress;
    int64_t lost_since_ms; /* -1 = connected or never tried */
    unsigned attempts;     /* since then */
};

void follow_init(struct follow *f, int64_t timeout_ms, bool retry_first);
/* Lines or the end of the backlog came: the connection works. True when it had been lost before. */
bool follow_progress(struct follow *f);
/*
 * A connection ended. 0: connect again after *ret_delay_ms. Otherwise for good, *p says why:
 * ERR_SYS lost, ERR_BAD_KEY or ERR_FORBIDDEN not allowed, ERR_INVALID refused.
 */
MUST_CHECK int follow_lost(struct follow *f, int64_t now_ms, const struct stream_end *end,
                           int64_t *ret_delay_ms, struct problem *p);

#endif
