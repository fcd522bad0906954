/*
 * LISTEN and NOTIFY on one connection of its own. A notification is a hint: after each (re)connect
 * on_connect is called so that the listener's owner looks for itself. notify() coalesces per turn
 * of the loop: the same channel and payload is sent once.
 */
#ifndef TAILGATE_DB_LISTENER_H
#define TAILGATE_DB_LISTENER_H

#include "base/compiler.h"
#include "base/loop.h"

struct db_listener;
typedef void (*db_notify_fn)(void *user, const char *channel, const char *payload);

MUST_CHECK int db_listener_new(struct loop *l, const char *conninfo, const char *const *channels,
                               size_t count, db_notify_fn on_notify, loop_fn on_connect, void *user,
                               struct db_listener **ret);
void db_listener_free(struct db_listener *d);
/* Queues; dropped when away or more than 4096 are queued (a hint may be lost). */
void db_listener_notify(struct db_listener *d, const char *channel, const char *payload);

#endif
