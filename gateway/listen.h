/*
 * The listening socket. Accepts in bounded batches; past the connections' maximum the peer gets a
 * bare 503 and is closed. When descriptors run out, one kept in reserve is given up for the moment
 * of the refusal, so that the loop does not spin on a socket it cannot accept.
 *
 *   open ─▶ accepting ─(EMFILE and no reserve)▶ paused ─(timer)▶ accepting … ─▶ free
 */
#ifndef TAILGATE_GATEWAY_LISTEN_H
#define TAILGATE_GATEWAY_LISTEN_H

#include "base/buf.h"
#include "base/compiler.h"
#include "gateway/server.h"

struct listener;

/* address: "HOST:PORT", "[IPV6]:PORT", ":PORT" or "*:PORT" (all addresses). ERR_INVALID and one
 * line in error; *ret_url as bound, at most size bytes. */
MUST_CHECK int listener_open(struct server *s, const char *address, struct buf *error,
                             char *ret_url, size_t size, struct listener **ret);
void listener_free(struct listener *l); /* NULL is fine */
/* Splits HOST:PORT. ERR_INVALID. host "" = all addresses. */
MUST_CHECK int listen_address_split(const char *address, char *ret_host, size_t size,
                                    char ret_port[8]);
/* Whether --listen can be resolved and is allowed by --insecure-http and TLS. ERR_INVALID and one
 * line in error. */
MUST_CHECK int listen_address_check(const struct options *o, struct buf *error);
/* The most connections that the descriptor limit leaves room for, at most wanted; raises the soft
 * limit as far as that needs. */
size_t listen_connections_max(size_t wanted);

#endif
