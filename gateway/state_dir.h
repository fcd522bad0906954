/*
 * The state directory: made when it is not there, owned by one server at a time, and the gateway's
 * lasting name in it.
 */
#ifndef TAILGATE_GATEWAY_STATE_DIR_H
#define TAILGATE_GATEWAY_STATE_DIR_H

#include "base/buf.h"
#include "base/compiler.h"

#define GATEWAY_ID_SIZE 33

/* Where it is when no setting says: /var/lib/tailgate as root, $XDG_STATE_HOME/tailgate or
 * ~/.local/state/tailgate otherwise. A new string. ERR_NOMEM, ERR_NOT_FOUND (no home). */
MUST_CHECK int state_dir_default(char **ret);
/* A relative *path becomes absolute, seen from the current directory. ERR_NOMEM, ERR_SYS. */
MUST_CHECK int state_dir_make_absolute(char **path);
/*
 * Creates path (with its parents) and takes the lock file in it, which then holds our process id.
 * The descriptor must be kept open: the lock goes with it. ERR_CONFLICT: in use by another server;
 * ERR_SYS. Both leave one line in error.
 */
MUST_CHECK int state_dir_take(const char *path, struct buf *error, int *ret_lock_fd);
/* 32 hex digits from PATH/gateway.id, made at the first start. ERR_SYS and one line in error. */
MUST_CHECK int state_dir_gateway_id(const char *path, struct buf *error, char ret[GATEWAY_ID_SIZE]);

#endif
