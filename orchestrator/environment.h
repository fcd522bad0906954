/* A command's environment, and the .env file with what its request said. */
#ifndef TAILGATE_ORCHESTRATOR_ENVIRONMENT_H
#define TAILGATE_ORCHESTRATOR_ENVIRONMENT_H

#include "orchestrator/internal.h"
#include "orchestrator/plan.h"

/* Debian's login.defs, ENV_PATH, with the sbin directories that ENV_SUPATH adds. */
#define ENVIRONMENT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define ENVIRONMENT_FILE ".env"

/*
 * The whole environment of a command: what every command gets, overridden by the plan's variables.
 * NAME=VALUE, NULL-ended; strings_free. directory: where it begins. With an engine that runs images
 * what speaks of the system (PATH, the user) is left to the image. ERR_NOMEM.
 */
MUST_CHECK int environment_make(const struct orchestrator *o, const struct execution_id *id,
                                const char *workspace, const char *directory,
                                const struct plan *plan, char ***ret);
/*
 * Writes the request's own variables (no secrets: the file outlives the run) to WORKSPACE/.env,
 * 0600, the run user's: lines NAME=value that a shell reads back exactly (set -a; . ./.env).
 * Nothing without variables. 0 or -errno.
 */
MUST_CHECK int environment_write_file(const struct orchestrator *o, const char *workspace,
                                      const struct plan *plan);

#endif
