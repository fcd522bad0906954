/*
 * Calls to the HTTP API through libcurl, one after the other on one connection. Blocking, bounded
 * in time and in bytes; a signal ends them.
 */
#ifndef TAILGATE_CLI_REST_H
#define TAILGATE_CLI_REST_H

#include "base/buf.h"
#include "cli/interrupt.h"
#include "cli/settings.h"

#define REST_CONNECT_TIMEOUT_MS 10000L
#define REST_TIMEOUT_MS 60000L
/* A page of the list: REST_PAGE executions with commands of some kB each. */
#define REST_BODY_MAX ((size_t)16 << 20)

struct rest;
/* settings and intr (may be NULL) must outlive it. ERR_NOMEM. */
MUST_CHECK int rest_new(const struct settings *settings, struct interrupt *intr, struct rest **ret);
void rest_free(struct rest *r);
static inline void rest_cleanup(struct rest **r)
{
    rest_free(*r);
}

struct rest_answer {
    int status;      /* 200 … 299 */
    struct buf body; /* at most REST_BODY_MAX */
    char next[1024]; /* query of the Link header's rel="next", "" = none */
};
void rest_answer_done(struct rest_answer *a);

/*
 * One call; path is relative to the API ("/executions?limit=1"), body NULL = none (else JSON).
 * ERR_SYS: not reachable or timed out; ERR_AGAIN: a signal came; else what the server's error body
 * says (exit_of_answer maps them).
 */
MUST_CHECK int rest_call(struct rest *r, const char *method, const char *path,
                         const struct buf *body, struct rest_answer *ret, struct problem *p);

/* GET whose body goes to sink as it comes, without end of time. The sink's error ends it and is
 * returned as ERR_INTERNAL, *ret_sink holds it. */
typedef int (*rest_sink_fn)(void *user, const char *bytes, size_t len);
MUST_CHECK int rest_download(struct rest *r, const char *path, rest_sink_fn sink, void *user,
                             int *ret_sink, struct problem *p);

#endif
