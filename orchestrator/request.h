/* What a run request may say. */
#ifndef TAILGATE_ORCHESTRATOR_REQUEST_H
#define TAILGATE_ORCHESTRATOR_REQUEST_H

#include "orchestrator/internal.h"

/* A request's times with the defaults filled in. */
struct request_limits {
    int64_t timeout_s; /* 0 = none */
    int64_t grace_s;
};
/* ERR_INVALID with *p naming the field and the rule. */
MUST_CHECK int request_check(const struct orchestrator *o, const struct run_request *r,
                             struct request_limits *ret, struct problem *p);

#endif
