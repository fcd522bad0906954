/*
 * The files of the private cluster: where they are, who owns them, what is in them. Short system
 * calls on local files only. Internal to db/.
 *
 *   STATE_DIR/pg            data directory, 0700; pg/run the socket's, pg/tailgate.conf ours
 *   STATE_DIR/pg.new        an initdb that has not finished: removed before the next one
 *   STATE_DIR/pg.password   0600, unless root
 *   STATE_DIR/pg.socket     where the socket is, when STATE_DIR's path is too long for one
 */
#ifndef TAILGATE_DB_CLUSTER_FILES_H
#define TAILGATE_DB_CLUSTER_FILES_H

#include "base/buf.h"
#include "base/compiler.h"

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#define CLUSTER_PORT 5432 /* part of the socket's name; nothing listens on TCP */
#define CLUSTER_VERSION_MIN 15

struct cluster_files {
    bool as_root; /* PostgreSQL runs as user postgres */
    uid_t uid;    /* PostgreSQL's */
    gid_t gid;
    char state_dir[PATH_MAX];
    char data[PATH_MAX];
    char fresh[PATH_MAX];
    char password_file[PATH_MAX];
    char bin[PATH_MAX]; /* directory of initdb and pg_ctl */
    char socket_dir[PATH_MAX];
};

/* Paths and user; as root also that user postgres can reach state_dir (0711 from now on).
 * ERR_NOT_FOUND: no such user. ERR_SYS: not reachable. Both are logged. */
MUST_CHECK int cluster_files_init(struct cluster_files *f, const char *state_dir);
/* Fills f->bin; bin_dir NULL = look for it: the data directory's own version, then the newest.
 * ERR_NOT_FOUND. */
MUST_CHECK int cluster_find_programs(struct cluster_files *f, const char *bin_dir);
/* Major version of the data directory; 0 = there is none. */
int cluster_data_version(const struct cluster_files *f);
/* Makes pg.new, empty, and the password file. ERR_SYS. */
MUST_CHECK int cluster_make_fresh(const struct cluster_files *f);
/* After initdb: who may log in; then pg.new becomes pg. ERR_SYS. */
MUST_CHECK int cluster_finish_fresh(const struct cluster_files *f);
/* Before each start: the socket's directory and pg/tailgate.conf. ERR_SYS. */
MUST_CHECK int cluster_prepare_start(struct cluster_files *f);
/* The postmaster on this data directory: its process id, 0 = none (then a stale pid file is
 * removed, whose number may be another process's by now). Fills f->socket_dir and says whether it
 * accepts connections. */
pid_t cluster_postmaster(struct cluster_files *f, bool *ret_ready);
/* libpq connection string. ERR_SYS: the password cannot be read. */
MUST_CHECK int cluster_conninfo(const struct cluster_files *f, struct buf *ret);

#endif
