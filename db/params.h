/*
 * Connection parameters: the operator's string parsed once, the session's settings added, host
 * names replaced by addresses for each attempt. Internal to db/.
 */
#ifndef TAILGATE_DB_PARAMS_H
#define TAILGATE_DB_PARAMS_H

#include "base/buf.h"
#include "base/compiler.h"

#include <libpq-fe.h>
#include <stdbool.h>

#define PARAMS_MAX 64           /* libpq 15 knows 45 keywords */
#define PARAMS_HOSTS_BYTES 4096 /* of host, hostaddr or port lists */

struct db_params {
    PQconninfoOption *parsed;
    char *application_name;
    char *options; /* the operator's and ours */
    char *host;    /* with names in it, when they must be looked up; else NULL */
};

/* ERR_INVALID: libpq cannot parse conninfo (its message may quote the password: never logged). */
MUST_CHECK int db_params_init(struct db_params *p, const char *conninfo,
                              const char *application_name, int64_t statement_timeout_ms,
                              const char *settings);
void db_params_done(struct db_params *p);
bool db_params_need_lookup(const struct db_params *p);

/* Lists as libpq takes them: one entry for each address of each host. */
struct db_params_hosts {
    struct buf host, hostaddr, port;
};
void db_params_hosts_init(struct db_params_hosts *h);
void db_params_hosts_done(struct db_params_hosts *h);
/* Looks the names up (blocks: for the thread pool). host and port: comma-separated lists, port ""
 * = the default. ERR_NOT_FOUND: no name of them has an address. */
MUST_CHECK int db_params_lookup(const char *host, const char *port, struct db_params_hosts *ret);
const char *db_params_get(const struct db_params *p, const char *keyword); /* NULL = not given */

/* Keywords and values for PQconnectStartParams, NULL-ended; pointers into p and h (NULL = as
 * given). */
void db_params_fill(const struct db_params *p, const struct db_params_hosts *h,
                    const char *keywords[PARAMS_MAX], const char *values[PARAMS_MAX]);

#endif
