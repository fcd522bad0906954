/*
 * Requests counted by route, method and class of status, and how long they took. The labels are the
 * routes' patterns, never a path: their number is that of the table's rows. What no route takes is
 * counted as "unmatched".
 */
#ifndef TAILGATE_GATEWAY_HTTP_METRICS_H
#define TAILGATE_GATEWAY_HTTP_METRICS_H

#include "base/metrics.h"
#include "gateway/http.h"

struct http_metrics;
/* For routes_all. ERR_NOMEM. */
MUST_CHECK int http_metrics_new(struct http_metrics **ret);
void http_metrics_free(struct http_metrics *m); /* NULL is fine */
/* A request is over. route NULL: unmatched. status 0: its client left before an answer. */
void http_metrics_note(struct http_metrics *m, const struct route *route, enum http_method method,
                       int status, int64_t took_us);
/* Both families; a route that nobody asked for yet has no series. */
void http_metrics_add(const struct http_metrics *m, struct metrics_text *t);

#endif
