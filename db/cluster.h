/*
 * The private PostgreSQL cluster of --dev: STATE_DIR/pg, unix socket only, in a 0700 directory.
 *
 *   start: initdb when there is none ─▶ postmaster already running there? adopt : pg_ctl start ─▶
 * UP UP: looked after every 2 s; when it is gone, pg_ctl start again (DOWN ─▶ STARTING ─▶ UP) stop:
 * pg_ctl stop -m fast
 *
 * As root PostgreSQL runs as `postgres`, with peer authentication (map root → postgres); commands
 * run as another user, so neither the directory nor peer lets them in. As an ordinary user commands
 * share our user id, so authentication is scram-sha-256 with a random password in
 * STATE_DIR/pg.password (0600), which Landlock keeps from them (docs/decisions/).
 */
#ifndef TAILGATE_DB_CLUSTER_H
#define TAILGATE_DB_CLUSTER_H

#include "base/compiler.h"
#include "base/loop.h"

struct db_cluster;
/* err: 0, ERR_NOT_FOUND (no PostgreSQL 15+ binaries), ERR_SYS (its output is logged). */
typedef void (*db_cluster_fn)(void *user, int err);
/* state_dir: absolute, exists; as root it becomes 0711. bin_dir: where initdb and pg_ctl are, NULL
 * = look in /usr/lib/postgresql/ * /bin (the data directory's version, else the newest) and PATH.
 * Returned at once: ERR_NOT_FOUND (no user postgres), ERR_SYS (user postgres cannot reach
 * state_dir; logged). */
MUST_CHECK int db_cluster_start(struct loop *l, const char *state_dir, const char *bin_dir,
                                db_cluster_fn fn, void *user, struct db_cluster **ret);
/* libpq connection string; valid once started. */
const char *db_cluster_conninfo(const struct db_cluster *c);
/* Stops PostgreSQL, then calls fn; the start's fn is not called any more. */
void db_cluster_stop(struct db_cluster *c, db_cluster_fn fn, void *user);
/* Leaves PostgreSQL as it is: what still runs is adopted by the next start. */
void db_cluster_free(struct db_cluster *c);

#endif
