/* Pattern matching for routes. No state: the tables are constants. */
#include "gateway/router.h"

#include <string.h>

static struct router_slice next_segment(const char **p, const char *end)
{
    struct router_slice s;
    while (*p < end && **p == '/')
        (*p)++;
    s.at = *p;
    while (*p < end && **p != '/')
        (*p)++;
    s.len = (size_t)(*p - s.at);
    return s;
}

static bool is_param(struct router_slice s)
{
    return s.len > 2 && s.at[0] == '{' && s.at[s.len - 1] == '}';
}

static bool is_rest(struct router_slice s)
{
    return is_param(s) && s.len > 5 && memcmp(s.at + s.len - 4, "...}", 4) == 0;
}

static bool match(const struct route *route, const char *path, const char *path_end,
                  struct router_match *ret)
{
    const char *pattern = route->pattern;
    const char *pattern_end = pattern + strlen(pattern);
    struct router_match m = {.route = route};
    for (;;) {
        struct router_slice want = next_segment(&pattern, pattern_end);
        struct router_slice have = next_segment(&path, path_end);
        if (want.len == 0 || have.len == 0) {
            if (want.len != have.len)
                return false;
            *ret = m;
            return true;
        }
        if (!is_param(want)) {
            if (want.len != have.len || memcmp(want.at, have.at, want.len) != 0)
                return false;
            continue;
        }
        if (m.params_count == ROUTER_PARAMS_MAX)
            return false;
        size_t dots = is_rest(want) ? 3 : 0;
        if (dots)
            have.len = (size_t)(path_end - have.at);
        m.names[m.params_count] = (struct router_slice){want.at + 1, want.len - 2 - dots};
        m.values[m.params_count++] = have;
        if (dots) {
            *ret = m;
            return true;
        }
    }
}

int router_find(const struct route_table *tables, size_t count, enum http_method method,
                const char *path, struct router_match *ret, unsigned *ret_allowed)
{
    const char *end = path + strlen(path);
    unsigned allowed = 0;
    struct router_match m;
    while (end > path + 1 && end[-1] == '/')
        end--;
    for (size_t t = 0; t < count; t++) {
        for (size_t i = 0; i < *tables[t].count; i++) {
            const struct route *route = &tables[t].routes[i];
            if (!match(route, path, end, &m))
                continue;
            if (route->method == method) {
                *ret = m;
                return 0;
            }
            allowed |= 1u << route->method;
        }
    }
    if (!allowed)
        return ERR_NOT_FOUND;
    *ret_allowed = allowed;
    return ERR_INVALID;
}
