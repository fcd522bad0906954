/* GET /executions. */
#ifndef TAILGATE_GATEWAY_EXECUTIONS_LIST_H
#define TAILGATE_GATEWAY_EXECUTIONS_LIST_H

#include "base/err.h"
#include "gateway/http.h"

void executions_list_get(struct http_request *r);
/* "RUNNING,FAILED" to a bit per state; STARTING finds PENDING too. ERR_INVALID. */
MUST_CHECK int executions_list_parse_status(const char *text, unsigned *ret_mask,
                                            struct problem *p);

#endif
