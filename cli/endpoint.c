/*
 * RFC 3986 restricted to what names a server: scheme http or https, host, port, path. No user,
 * query or fragment, and nothing that would need escaping in a request line.
 */
#include "cli/endpoint.h"

#include "base/str.h"

#include <string.h>

#define API_PATH "/api/v1"

static int bad(struct problem *p, const char *url, const char *rule)
{
    return problem_set(p, ERR_INVALID, "unusable endpoint", "\"%.200s\" %s", url, rule);
}

static int copy_part(char *dst, size_t size, const char *src, size_t len)
{
    if (len == 0 || len >= size)
        return ERR_INVALID;
    memcpy(dst, src, len);
    dst[len] = '\0';
    return 0;
}

/* "host", "host:port", "[v6]", "[v6]:port" */
static int parse_authority(const char *s, size_t len, struct endpoint *e)
{
    if (copy_part(e->authority, sizeof e->authority, s, len) != 0)
        return ERR_INVALID;
    const char *host = e->authority;
    size_t host_len = strcspn(host, ":");
    const char *rest = host + host_len;
    if (host[0] == '[') {
        host_len = strcspn(host, "]");
        if (host[host_len] != ']')
            return ERR_INVALID;
        rest = host + host_len + 1;
        host++;
        host_len--;
    }
    if (copy_part(e->host, sizeof e->host, host, host_len) != 0)
        return ERR_INVALID;
    int64_t port = e->tls ? 443 : 80;
    if (rest[0] == ':' && str_to_i64(rest + 1, 1, 65535, &port) != 0)
        return ERR_INVALID;
    if (rest[0] != ':' && rest[0] != '\0')
        return ERR_INVALID;
    e->port = (int)port;
    return 0;
}

static int parse_path(const char *path, struct endpoint *e)
{
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    if (len + sizeof API_PATH > sizeof e->base)
        return ERR_INVALID;
    memcpy(e->base, path, len);
    e->base[len] = '\0';
    if (str_ends_with(e->base, API_PATH))
        return 0;
    memcpy(e->base + len, API_PATH, sizeof API_PATH);
    return 0;
}

int endpoint_parse(const char *url, struct endpoint *ret, struct problem *p)
{
    struct endpoint e = {.tls = str_starts_with(url, "https://")};
    if (!e.tls && !str_starts_with(url, "http://"))
        return bad(p, url, "must begin with http:// or https://");
    const char *rest = url + (e.tls ? 8 : 7);
    for (const char *c = rest; *c != '\0'; c++)
        if (*c <= ' ' || *c == 0x7f || strchr("@?#\"<>\\^`{|}", *c) != NULL)
            return bad(p, url, "may hold only a host, a port and a path");
    size_t len = strcspn(rest, "/");
    if (parse_authority(rest, len, &e) != 0)
        return bad(p, url, "has no usable host and port");
    if (parse_path(rest + len, &e) != 0)
        return bad(p, url, "is too long");
    *ret = e;
    return 0;
}
