/* The Link header of lists that are read in pages (RFC 8288). */
#ifndef TAILGATE_GATEWAY_HTTP_LINK_H
#define TAILGATE_GATEWAY_HTTP_LINK_H

#include "gateway/http.h"

/* `<PATH?the request's own parameters of these names&cursor=N>; rel="next"`. ERR_TOO_LARGE,
 * ERR_NOMEM. */
MUST_CHECK int http_add_next_link(struct http_request *r, const char *path,
                                  const char *const *names, size_t count, int64_t cursor);

#endif
