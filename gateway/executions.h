/* What the handlers of executions and of their logs share. */
#ifndef TAILGATE_GATEWAY_EXECUTIONS_H
#define TAILGATE_GATEWAY_EXECUTIONS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/model.h"
#include "gateway/http.h"

/* The id in the path; an ill-formed one is as unknown as any: answered 404, ERR_NOT_FOUND. */
MUST_CHECK int executions_path_id(struct http_request *r, const char *failed,
                                  struct execution_id *ret);
/* p with the text that Runvoy's clients know: "failed to …" in error, the cause in details. */
void executions_respond_problem(struct http_request *r, const struct problem *p,
                                const char *failed);
/* websocket_url of Runvoy's stream, token included. ERR_*. */
MUST_CHECK int executions_websocket_url(struct http_request *r, const struct execution_id *id,
                                        struct buf *out);
/* A number in the query. Absent: *ret stays. ERR_INVALID fills *p ("invalid NAME parameter"). */
MUST_CHECK int executions_query_number(const struct http_request *r, const char *name, int64_t *ret,
                                       struct problem *p);

#endif
