/*
 * An HTTP server on a unix socket, on the test's own loop: it answers each request with the next
 * scripted bytes and remembers what was asked. One connection an answer.
 */
#ifndef TAILGATE_TESTS_SCRIPTED_SERVER_H
#define TAILGATE_TESTS_SCRIPTED_SERVER_H

#include "base/loop.h"

#include <stddef.h>

#define SCRIPTED_REQUESTS_MAX 16

struct scripted_server;

/* answers[0..n): whole HTTP answers, in the order of the requests; NULL = never answered. A path
 * for the socket is made. */
void scripted_server_new(struct loop *l, const char *const *answers, size_t n,
                         struct scripted_server **ret);
void scripted_server_free(struct scripted_server *s);
const char *scripted_server_path(const struct scripted_server *s);
size_t scripted_server_count(const struct scripted_server *s);
/* Head and body of the n-th request. */
const char *scripted_server_request(const struct scripted_server *s, size_t n);

/* "HTTP/1.1 STATUS X" with the JSON body; a few buffers in turn. */
const char *scripted_json(int status, const char *body);

#endif
