/* Addresses of clients behind trusted proxies. Plain functions; nothing is held. */
#include "gateway/client_address.h"

#include "base/err.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <string.h>

/* ::ffff:0:0/96, where IPv4 addresses live among IPv6 ones (RFC 4291 2.5.5.2). */
static const uint8_t MAPPED_PREFIX[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static int parse_bytes(const char *text, uint8_t ret[16], bool *ret_is_v4)
{
    if (inet_pton(AF_INET, text, ret + 12) == 1) {
        memcpy(ret, MAPPED_PREFIX, sizeof(MAPPED_PREFIX));
        *ret_is_v4 = true;
        return 0;
    }
    *ret_is_v4 = false;
    return inet_pton(AF_INET6, text, ret) == 1 ? 0 : ERR_INVALID;
}

static int parse_range(const char *entry, size_t len, struct address_range *ret)
{
    char text[ADDRESS_TEXT_SIZE + 4];
    bool is_v4;
    int64_t bits;
    if (len == 0 || len >= sizeof(text))
        return ERR_INVALID;
    memcpy(text, entry, len);
    text[len] = '\0';
    char *slash = strchr(text, '/');
    if (slash)
        *slash = '\0';
    if (parse_bytes(text, ret->bytes, &is_v4))
        return ERR_INVALID;
    ret->bits = 128;
    if (slash) {
        if (str_to_i64(slash + 1, 0, is_v4 ? 32 : 128, &bits))
            return ERR_INVALID;
        ret->bits = (unsigned)(is_v4 ? bits + 96 : bits);
    }
    return 0;
}

int address_list_parse(const char *text, struct address_list *ret, const char **ret_bad)
{
    struct address_list list = {0};
    for (const char *p = text; p && *p;) {
        size_t len = strcspn(p, ", ");
        if (len > 0) {
            if (list.count == ADDRESS_LIST_MAX || parse_range(p, len, &list.ranges[list.count])) {
                if (ret_bad)
                    *ret_bad = p;
                return ERR_INVALID;
            }
            list.count++;
        }
        p += len;
        p += strspn(p, ", ");
    }
    *ret = list;
    return 0;
}

static bool range_has(const struct address_range *r, const uint8_t bytes[16])
{
    size_t whole = r->bits / 8;
    unsigned rest = r->bits % 8;
    if (memcmp(r->bytes, bytes, whole) != 0)
        return false;
    return rest == 0 || (r->bytes[whole] >> (8 - rest)) == (bytes[whole] >> (8 - rest));
}

bool address_list_has(const struct address_list *l, const char *address)
{
    uint8_t bytes[16];
    bool is_v4;
    if (parse_bytes(address, bytes, &is_v4))
        return false;
    for (size_t i = 0; i < l->count; i++) {
        if (range_has(&l->ranges[i], bytes))
            return true;
    }
    return false;
}

void address_text(const struct sockaddr *sa, char ret[ADDRESS_TEXT_SIZE])
{
    ret[0] = '\0';
    if (sa->sa_family == AF_INET) {
        const struct sockaddr_in *v4 = (const void *)sa;
        (void)inet_ntop(AF_INET, &v4->sin_addr, ret, ADDRESS_TEXT_SIZE);
    } else if (sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const void *)sa;
        const uint8_t *bytes = v6->sin6_addr.s6_addr;
        if (memcmp(bytes, MAPPED_PREFIX, sizeof(MAPPED_PREFIX)) == 0)
            (void)inet_ntop(AF_INET, bytes + 12, ret, ADDRESS_TEXT_SIZE);
        else
            (void)inet_ntop(AF_INET6, bytes, ret, ADDRESS_TEXT_SIZE);
    }
}

bool address_is_loopback(const struct sockaddr *sa)
{
    char text[ADDRESS_TEXT_SIZE];
    address_text(sa, text);
    return str_starts_with(text, "127.") || str_eq(text, "::1");
}

/* One entry of X-Forwarded-For: an address, perhaps with a port or in brackets. */
static int entry_address(const char *entry, size_t len, char ret[ADDRESS_TEXT_SIZE])
{
    char text[ADDRESS_TEXT_SIZE + 10];
    uint8_t bytes[16];
    bool is_v4;
    while (len > 0 && (*entry == ' ' || *entry == '\t')) {
        entry++;
        len--;
    }
    while (len > 0 && (entry[len - 1] == ' ' || entry[len - 1] == '\t'))
        len--;
    if (len > 0 && *entry == '[') {
        entry++;
        len = strcspn(entry, "]") < len - 1 ? strcspn(entry, "]") : len - 1;
    } else if (len > 0 && memchr(entry, '.', len)) {
        const char *colon = memchr(entry, ':', len);
        if (colon && !memchr(colon + 1, ':', len - (size_t)(colon + 1 - entry)))
            len = (size_t)(colon - entry);
    }
    if (len == 0 || len >= sizeof(text))
        return ERR_INVALID;
    memcpy(text, entry, len);
    text[len] = '\0';
    if (parse_bytes(text, bytes, &is_v4))
        return ERR_INVALID;
    return str_copy(ret, ADDRESS_TEXT_SIZE, text);
}

void client_address(const struct address_list *trusted, const char *peer, const char *forwarded_for,
                    char ret[ADDRESS_TEXT_SIZE])
{
    if (str_copy(ret, ADDRESS_TEXT_SIZE, peer))
        ret[0] = '\0';
    size_t end = forwarded_for ? strlen(forwarded_for) : 0;
    while (end > 0 && address_list_has(trusted, ret)) {
        size_t start = end;
        char next[ADDRESS_TEXT_SIZE];
        while (start > 0 && forwarded_for[start - 1] != ',')
            start--;
        if (entry_address(forwarded_for + start, end - start, next) ||
            str_copy(ret, ADDRESS_TEXT_SIZE, next))
            return;
        end = start > 0 ? start - 1 : 0;
    }
}
