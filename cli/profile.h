/*
 * The client's own configuration file, YAML: `api_endpoint`, `api_key` and optionally `ca_file`. It
 * stands in $XDG_CONFIG_HOME/tailgate/config.yaml or ~/.config/tailgate/config.yaml.
 */
#ifndef TAILGATE_CLI_PROFILE_H
#define TAILGATE_CLI_PROFILE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>

#define PROFILE_BYTES_MAX 65536 /* ours has three lines */

struct profile { /* strings are owned; NULL = not set */
    char *api_endpoint;
    char *api_key;
    char *ca_file;
    bool is_exposed; /* others may read the file */
};
void profile_done(struct profile *v);

/* The file's path. ERR_INVALID when neither variable names a directory. */
MUST_CHECK int profile_path(struct buf *ret, struct problem *p);
/* A missing file is an empty one. ERR_INVALID names the file and the line; ERR_SYS, ERR_NOMEM. */
MUST_CHECK int profile_read(const char *path, struct profile *ret, struct problem *p);
/* Replaces the file as a whole (a new one of mode 0600 renamed over it); makes its directory, 0700.
 * ERR_SYS, ERR_NOMEM. */
MUST_CHECK int profile_write(const char *path, const struct profile *v, struct problem *p);

/* The whole file, at most max bytes, into the empty *out. ERR_NOT_FOUND, ERR_SYS, ERR_TOO_LARGE. */
MUST_CHECK int profile_slurp(const char *path, struct buf *out, struct problem *p,
                             bool *ret_exposed);

#endif
