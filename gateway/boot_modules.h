/*
 * All modules of a server, made in the order of who needs whom once PostgreSQL answers: logs,
 * orchestrator, server, search, the live list, revocations. Part of the wiring (boot.c).
 */
#ifndef TAILGATE_GATEWAY_BOOT_MODULES_H
#define TAILGATE_GATEWAY_BOOT_MODULES_H

#include "base/loop.h"
#include "gateway/options.h"

struct db_pool;
struct engine;
struct hints;
struct hub;
struct keeper;
struct orchestrator;
struct revocations;
struct sealer;
struct searcher;
struct server;
struct watch;
struct writer;

struct modules {
    const struct options *o; /* these four are borrowed, and set by the caller */
    const char *gateway_id, *conninfo;
    struct sealer *sealer;
    struct loop *loop;
    struct db_pool *pool, *writer_pool;
    struct hub *hub;
    struct keeper *keeper;
    struct searcher *searcher;
    struct watch *watch;
    struct writer *writer;
    struct hints *hints;
    struct engine *engine;
    struct orchestrator *orch;
    struct server *server;
    struct revocations *revocations;
};
/* First, the connections to PostgreSQL; db_pool_on_ready says when the rest can be made. After a
 * failure, and in any case at the end, modules_free. */
MUST_CHECK int modules_connect(struct modules *m);
/* All others; nothing listens and nothing is adopted yet. */
MUST_CHECK int modules_make(struct modules *m);
/* What was made, in reverse. */
void modules_free(struct modules *m);

#endif
