/* What a run request may say, and the environment it becomes. */
#ifndef TAILGATE_ORCHESTRATOR_REQUEST_H
#define TAILGATE_ORCHESTRATOR_REQUEST_H

#include "orchestrator/internal.h"

/* A request's times with the defaults filled in. */
struct request_limits {
    int64_t timeout_s; /* 0 = none */
    int64_t grace_s;
};
/* ERR_INVALID or ERR_NOT_FOUND (image) with *p naming the field and the rule. */
MUST_CHECK int request_check(const struct orchestrator *o, const struct run_request *r,
                             struct request_limits *ret, struct problem *p);
/* The request's variables as NAME=VALUE, each name once (the last wins), NULL-ended; strings_free.
 */
MUST_CHECK int request_env(const struct run_request *r, char ***ret);
/*
 * The whole environment of a command: what every command gets, overridden by `overrides`
 * (NAME=VALUE, NULL-ended); strings_free. ERR_NOMEM.
 */
MUST_CHECK int request_environment(const struct orchestrator *o, const struct execution_id *id,
                                   const char *workspace, char *const *overrides, char ***ret);

#endif
