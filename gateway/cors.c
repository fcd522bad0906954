/* The Origin allow-list. A plain value, parsed once at the start. */
#include "gateway/cors.h"

#include "base/err.h"
#include "base/str.h"

#include <ctype.h>
#include <string.h>

/* scheme://host[:port] in lower case without the scheme's default port (RFC 6454 6.1), or
 * ERR_INVALID. A path is cut off. */
static int normalise(const char *text, size_t len, char ret[CORS_ORIGIN_SIZE])
{
    char lower[CORS_ORIGIN_SIZE];
    if (len == 0 || len >= sizeof(lower))
        return ERR_INVALID;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7f)
            return ERR_INVALID;
        lower[i] = (char)tolower(c);
    }
    lower[len] = '\0';
    char *host = strstr(lower, "://");
    if (!host || host == lower || host[3] == '\0' || host[3] == '/')
        return ERR_INVALID;
    host += 3;
    host[strcspn(host, "/?#")] = '\0';
    if ((str_starts_with(lower, "http://") && str_ends_with(host, ":80")) ||
        (str_starts_with(lower, "https://") && str_ends_with(host, ":443")))
        *strrchr(host, ':') = '\0';
    return str_copy(ret, CORS_ORIGIN_SIZE, lower);
}

int cors_parse(const char *origins, const char *public_url, struct cors *ret)
{
    *ret = (struct cors){0};
    if (!str_is_empty(public_url)) {
        if (normalise(public_url, strlen(public_url), ret->origins[0]))
            return ERR_INVALID;
        ret->count = 1;
    }
    for (const char *p = origins; p && *p;) {
        size_t len = strcspn(p, ", ");
        if (len == 1 && *p == '*') {
            ret->any = true;
        } else if (len > 0) {
            if (ret->count == CORS_ORIGINS_MAX || normalise(p, len, ret->origins[ret->count]))
                return ERR_INVALID;
            ret->count++;
        }
        p += len;
        p += strspn(p, ", ");
    }
    return 0;
}

/* Whether origin's scheme and host are those of the request itself. The scheme is taken from the
 * origin: behind a proxy the server does not see it. */
static bool is_same_host(const char *normal, const char *host)
{
    char own[CORS_ORIGIN_SIZE], normal_own[CORS_ORIGIN_SIZE];
    const char *sep = strstr(normal, "://");
    if (str_is_empty(host) || !sep)
        return false;
    size_t scheme = (size_t)(sep - normal) + 3;
    if (scheme + strlen(host) >= sizeof(own))
        return false;
    memcpy(own, normal, scheme);
    if (str_copy(own + scheme, sizeof(own) - scheme, host) ||
        normalise(own, strlen(own), normal_own))
        return false;
    return str_eq(normal, normal_own);
}

bool cors_allows(const struct cors *c, const char *origin, const char *host)
{
    char normal[CORS_ORIGIN_SIZE];
    if (str_is_empty(origin) || c->any)
        return true;
    if (normalise(origin, strlen(origin), normal))
        return false;
    for (size_t i = 0; i < c->count; i++) {
        if (str_eq(c->origins[i], normal))
            return true;
    }
    return is_same_host(normal, host);
}

int cors_append_headers(struct buf *out, const char *origin)
{
    if (str_is_empty(origin))
        return 0;
    return buf_printf(
        out,
        "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
        "Access-Control-Expose-Headers: X-Request-ID, Link, Location, Retry-After\r\n",
        origin);
}

int cors_append_preflight(struct buf *out)
{
    /* Two hours: the most that Chromium keeps an answer. */
    return buf_append_str(out,
                          "Access-Control-Allow-Methods: GET, POST, PUT, DELETE, OPTIONS\r\n"
                          "Access-Control-Allow-Headers: Content-Type, X-API-Key, Authorization, "
                          "Idempotency-Key\r\n"
                          "Access-Control-Max-Age: 7200\r\n");
}
