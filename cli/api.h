/* The calls of the API that tailgate makes, typed. Errors as in rest_call. */
#ifndef TAILGATE_CLI_API_H
#define TAILGATE_CLI_API_H

#include "cli/rest.h"
#include "wire/messages.h"

/* The answer's JSON; json_decref it. */
MUST_CHECK int api_parse(const struct rest_answer *a, json_t **ret, struct problem *p);

/* POST /run. The answer's text goes to *ret_json when it is not NULL. */
MUST_CHECK int api_start(struct rest *r, const struct wire_run_request *request,
                         struct execution_id *ret, struct buf *ret_json, struct problem *p);
/* DELETE. *ret_ended: it had ended, or was being ended, before. */
MUST_CHECK int api_kill(struct rest *r, const struct execution_id *id, bool *ret_ended,
                        struct problem *p);
/* The execution as JSON; json_decref it. */
MUST_CHECK int api_get(struct rest *r, const struct execution_id *id, json_t **ret,
                       struct problem *p);

/* Called for each execution, newest first; its error ends the list. */
typedef int (*api_execution_fn)(void *user, const json_t *execution);
/*
 * At most limit executions (0 = all) in pages; filter (NULL = none) is appended to the query:
 * "&status=…". An error of fn is returned with p->err 0.
 */
MUST_CHECK int api_list(struct rest *r, const char *filter, uint64_t limit, api_execution_fn fn,
                        void *user, struct problem *p);

#endif
