/*
 * Engine `process`: fork and exec of tailgate-runner on this machine. The runner is started
 * detached, in its own session, and outlives tailgated.
 */
#ifndef TAILGATE_ORCHESTRATOR_ENGINES_PROCESS_H
#define TAILGATE_ORCHESTRATOR_ENGINES_PROCESS_H

#include "orchestrator/engine.h"

/* runner_path: absolute path of tailgate-runner; copied. */
MUST_CHECK int engine_process_new(struct loop *l, const char *runner_path, struct engine **ret);

#endif
