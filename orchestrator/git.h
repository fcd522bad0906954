/*
 * Cloning before the command: the runner's setup stage (spool/spec.h), a script around git(1) that
 * runs as the run user, confined like the command. The repository is WORKSPACE/repo, the command
 * begins in git_path below it.
 *
 * Nothing asks (no terminal, no askpass), no hook and no configuration of the machine takes part,
 * only --git-protocols are spoken. A GITHUB_TOKEN of the run is shown to github.com over https: it
 * stands in git's environment, not in its arguments, its configuration files or the log.
 */
#ifndef TAILGATE_ORCHESTRATOR_GIT_H
#define TAILGATE_ORCHESTRATOR_GIT_H

#include "orchestrator/git_protocols.h"
#include "orchestrator/internal.h"
#include "orchestrator/plan.h"

#define GIT_DIRECTORY "repo"
#define GIT_DEFAULT_REF "main" /* Runvoy's */

/* The fields of a request. ERR_INVALID. */
MUST_CHECK int git_check(const struct orchestrator *o, const struct run_request *r,
                         struct problem *p);
/* spec->directory of the plan, allocated: "repo/src"; NULL without a repository. ERR_NOMEM. */
MUST_CHECK int git_directory(const struct plan *plan, char **ret);
/* The stage: *ret_script and the NULL-ended *ret_env are the caller's (free, strings_free). Both
 * stay NULL without a repository. ERR_NOMEM. */
MUST_CHECK int git_setup(const struct orchestrator *o, const char *workspace,
                         const struct plan *plan, char **ret_script, char ***ret_env);

#endif
