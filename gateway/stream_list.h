/*
 * The live list on one tailgate.v1 socket: from the subscription to the pages of the watch
 * (orchestrator/watch.h), taken one at a time when the socket can take them.
 */
#ifndef TAILGATE_GATEWAY_STREAM_LIST_H
#define TAILGATE_GATEWAY_STREAM_LIST_H

#include "base/buf.h"
#include "base/model.h"

#include <stdbool.h>

/* A command longer than this is cut in the list, so that one row never fills a socket's queue. */
#define STREAM_LIST_COMMAND_MAX (16u << 10)

struct stream;

/* A failure is told to the client. since may be NULL. */
void stream_list_subscribe(struct stream *s, const char *since);
void stream_list_unsubscribe(struct stream *s);
void stream_list_close(struct stream *s); /* also when there is none */
bool stream_list_is_ready(const struct stream *s);
/* Queues one message of what is ready; may close the stream. */
void stream_list_fill(struct stream *s);

/* The watch's encoder: a row as the API lists it. */
int stream_list_encode(void *user, const struct execution *e, struct buf *out);

#endif
