/*
 * Private workspaces, STATE_DIR/workspaces/EXECUTION_ID: made for a run (0700, owned by the user
 * that commands run as, with .tmp in it), kept for the retention after its end, then removed.
 *
 * The removal keeps no list: a sweep looks at the directory off the loop and takes what is not of a
 * live execution and has not changed its inode (st_ctime, which no command can forge) for the
 * retention. workspace_mark_ended touches it at the end. So what an earlier process left behind
 * goes the same way.
 */
#ifndef TAILGATE_ORCHESTRATOR_WORKSPACE_H
#define TAILGATE_ORCHESTRATOR_WORKSPACE_H

#include "base/compiler.h"
#include "base/loop.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define WORKSPACE_TMP ".tmp"

/* Makes PATH and PATH/.tmp; idempotent. set_ids: give both to uid/gid. 0 or -errno. */
MUST_CHECK int workspace_create(const char *path, bool set_ids, uid_t uid, gid_t gid);
/* The execution is over: its retention counts from now. */
void workspace_mark_ended(const char *path);
/*
 * Removes the tree `name` in dirfd, whatever is in it, never following a symbolic link, with a
 * bounded number of descriptors however deep it is. 0 (also when absent), -ECANCELED once *cancel
 * is true (NULL = never), or the first -errno, with the rest removed. Blocks: not for the loop's
 * thread.
 */
MUST_CHECK int workspace_remove_tree(int dirfd, const char *name, const atomic_bool *cancel);

/* ---- the sweep ---- */
struct sweeper;
/* Whether the execution with this id is live here: its workspace stays. */
typedef bool (*sweeper_keep_fn)(void *user, const char *id);
/* dir: the workspaces' directory; copied. Nothing is swept before sweeper_start. */
MUST_CHECK int sweeper_new(struct loop *l, const char *dir, int64_t retention_ms,
                           sweeper_keep_fn keep, void *user, struct sweeper **ret);
/* First sweep at once, then at intervals. */
void sweeper_start(struct sweeper *s);
/* A workspace was marked: looks again when its retention is over. */
void sweeper_note_end(struct sweeper *s);
bool sweeper_is_busy(const struct sweeper *s);
void sweeper_free(struct sweeper *s);

#endif
