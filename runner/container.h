/*
 * What only the runner in a container can find out (SPEC_SANDBOX_CONTAINER): the image's variables,
 * and who the image's user is.
 */
#ifndef TAILGATE_RUNNER_CONTAINER_H
#define TAILGATE_RUNNER_CONTAINER_H

#include "runner/child.h"

/*
 * "" (root), "UID", "NAME", each also with ":GID" or ":GROUP", as Docker's USER: looked up in the
 * image's files; a number needs no entry. 0; -ENOENT: no such name; -EINVAL, -errno.
 */
int container_find_user(const char *user, const char *passwd_path, const char *group_path,
                        uid_t *ret_uid, gid_t *ret_gid);
/* NAME=VALUE of both, NULL-ended, overrides last and winning; the strings are copies. NULL without
 * memory. */
char **container_merge_env(char *const *base, char *const *overrides);
/* Gives the spec its ids (of spec->user, else of TAILGATE_IMAGE_USER) and its environment, and the
 * workspace with what is in it to that user. 0, or -1 with *ret_failure. */
int container_settle(struct run_spec *spec, struct child_failure *ret_failure);

#endif
