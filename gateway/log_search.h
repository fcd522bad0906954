/* GET /executions/{id}/logs?q=TEXT or ?regex=RE. */
#ifndef TAILGATE_GATEWAY_LOG_SEARCH_H
#define TAILGATE_GATEWAY_LOG_SEARCH_H

#include "gateway/http.h"

bool log_search_is_asked(const struct http_request *r);
void log_search_get(struct http_request *r);

#endif
