/*
 * The Origin allow-list (--cors-origins): who may read answers from a browser, and who may open a
 * WebSocket. The same origin always may; "*" lets everybody.
 */
#ifndef TAILGATE_GATEWAY_CORS_H
#define TAILGATE_GATEWAY_CORS_H

#include "base/buf.h"
#include "base/compiler.h"

#include <stdbool.h>

#define CORS_ORIGINS_MAX 64
#define CORS_ORIGIN_SIZE 256

struct cors {
    bool any;
    size_t count;
    char origins[CORS_ORIGINS_MAX][CORS_ORIGIN_SIZE]; /* lower case, no default port, no slash */
};

/* "https://a.example, http://b.example:8080" or "*"; NULL or "" = the same origin only. public_url
 * (NULL = none) is allowed too. ERR_INVALID. */
MUST_CHECK int cors_parse(const char *origins, const char *public_url, struct cors *ret);
/* origin NULL (no browser) passes; host: of the request, "name[:port]", may be NULL. */
bool cors_allows(const struct cors *c, const char *origin, const char *host);
/* The headers for an allowed origin, CR LF ended; nothing for NULL. */
MUST_CHECK int cors_append_headers(struct buf *out, const char *origin);
/* What a preflight asks for besides. */
MUST_CHECK int cors_append_preflight(struct buf *out);

#endif
