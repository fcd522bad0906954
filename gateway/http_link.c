/* Links to a list's next page: the question that was asked, with a cursor. */
#include "gateway/http_link.h"

#include "base/str.h"

#include <string.h>

/* RFC 3986 2.3: what needs no percent. */
static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("-_.~", c));
}

int http_add_next_link(struct http_request *r, const char *path, const char *const *names,
                       size_t count, int64_t cursor)
{
    struct buf link CLEANUP_BUF = {.max = 4096};
    int err = buf_printf(&link, "<%s?", path);
    for (size_t i = 0; i < count && !err; i++) {
        const char *value = http_query(r, names[i]);
        if (str_is_empty(value))
            continue;
        err = buf_printf(&link, "%s=", names[i]);
        for (const char *c = value; *c && !err; c++)
            err = buf_printf(&link, is_plain(*c) ? "%c" : "%%%02X", (unsigned char)*c);
        if (!err)
            err = buf_append_char(&link, '&');
    }
    if (!err)
        err = buf_printf(&link, "cursor=%lld>; rel=\"next\"", (long long)cursor);
    return err ? err : http_add_header(r, "Link", link.data);
}
