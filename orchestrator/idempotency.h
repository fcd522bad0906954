/* What makes two run requests the same: all that the client said, whatever its order. */
#ifndef TAILGATE_ORCHESTRATOR_IDEMPOTENCY_H
#define TAILGATE_ORCHESTRATOR_IDEMPOTENCY_H

#include "orchestrator/orchestrator.h"

#define IDEMPOTENCY_HASH_LEN 32

/* The order of variables does not count. ERR_NOMEM. */
MUST_CHECK int idempotency_hash(const struct run_request *r, uint8_t ret[IDEMPOTENCY_HASH_LEN]);

#endif
