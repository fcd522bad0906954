/*
 * From method and path to a route. Patterns are "/a/{name}/b": {name} matches one segment,
 * {name...} at the end the rest, slashes included. A slash at the end of the path is ignored.
 */
#ifndef TAILGATE_GATEWAY_ROUTER_H
#define TAILGATE_GATEWAY_ROUTER_H

#include "gateway/http.h"

#define ROUTER_PARAMS_MAX 4

/* One resource file's routes; the count by address, since it is another file's constant. */
struct route_table {
    const struct route *routes;
    const size_t *count;
};
/* A piece of the pattern or the path, not NUL-terminated. */
struct router_slice {
    const char *at;
    size_t len;
};
struct router_match {
    const struct route *route;
    size_t params_count;
    struct router_slice names[ROUTER_PARAMS_MAX], values[ROUTER_PARAMS_MAX];
};

/* 0; ERR_NOT_FOUND: no route has this path; ERR_INVALID: some have, for other methods:
 * *ret_allowed is then a bit per enum http_method. */
MUST_CHECK int router_find(const struct route_table *tables, size_t count, enum http_method method,
                           const char *path, struct router_match *ret, unsigned *ret_allowed);

/* All routes (routes.c). */
extern const struct route_table routes_all[];
extern const size_t routes_all_count;

#endif
