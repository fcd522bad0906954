/* Where the server is: "http://HOST:PORT", with or without a path and /api/v1, taken apart. */
#ifndef TAILGATE_CLI_ENDPOINT_H
#define TAILGATE_CLI_ENDPOINT_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>

struct endpoint { /* a plain value */
    bool tls;
    char host[256]; /* IPv6 without brackets */
    int port;
    char authority[280]; /* "host:port" as given, for the Host header and for URLs */
    char base[512];      /* path of the API, "/api/v1"; no slash at its end */
};

/* ERR_INVALID fills *p. */
MUST_CHECK int endpoint_parse(const char *url, struct endpoint *ret, struct problem *p);

#endif
