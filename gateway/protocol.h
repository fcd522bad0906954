/*
 * libwebsockets' protocols and its callback: HTTP on protocols[0], which also carries WebSockets
 * without a subprotocol (Runvoy's stream), and tailgate.v1.
 */
#ifndef TAILGATE_GATEWAY_PROTOCOL_H
#define TAILGATE_GATEWAY_PROTOCOL_H

#include <libwebsockets.h>

/* Ended by an empty one. */
extern const struct lws_protocols protocol_table[];
/* For lws_set_log_level: warnings and errors go to our log, tokens cut out. */
void protocol_log(int level, const char *line);

#endif
