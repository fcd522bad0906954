/* Reads Accept-Encoding and If-None-Match. No state. */
#include "gateway/negotiate.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"

/* "q=0", "q=0.000": the coding is refused. */
static bool is_refused(const char *parameters, size_t len)
{
    const char *end = parameters + len;
    const char *p = memchr(parameters, '=', len);
    if (!p)
        return false;
    for (p++; p < end; p++) {
        if (!strchr("0. \t", *p))
            return false;
    }
    return true;
}

bool negotiate_takes_gzip(const char *accept_encoding)
{
    bool any = false;
    const char *p = accept_encoding ? accept_encoding : "";
    while (*p) {
        p += strspn(p, BLANKS ",");
        size_t len = strcspn(p, ",");
        size_t name = strcspn(p, BLANKS ",;");
        bool refused = is_refused(p + name, len - name);
        if ((name == 4 && strncasecmp(p, "gzip", 4) == 0) ||
            (name == 6 && strncasecmp(p, "x-gzip", 6) == 0))
            return !refused; /* said by name: the star is for others */
        if (name == 1 && *p == '*')
            any = !refused;
        p += len;
    }
    return any;
}

bool negotiate_has_tag(const char *if_none_match, const char *tag)
{
    size_t tag_len = strlen(tag);
    const char *p = if_none_match ? if_none_match : "";
    while (*p) {
        p += strspn(p, BLANKS ",");
        if (*p == '*')
            return true;
        if (strncmp(p, "W/", 2) == 0) /* the comparison is the weak one */
            p += 2;
        if (*p != '"') {
            p += strcspn(p, ",");
            continue;
        }
        const char *end = strchr(p + 1, '"');
        if (!end)
            return false;
        if ((size_t)(end + 1 - p) == tag_len && memcmp(p, tag, tag_len) == 0)
            return true;
        p = end + 1;
    }
    return false;
}
