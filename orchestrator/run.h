/* What the run path's sources share: run.c, request.c, git.c. */
#ifndef TAILGATE_ORCHESTRATOR_RUN_H
#define TAILGATE_ORCHESTRATOR_RUN_H

/* What failed, in Runvoy's words. */
#define RUN_ERROR "failed to run command"

#endif
