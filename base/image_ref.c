/* One pass from the left; each part's end is known by the character that may follow it. */
#include "base/image_ref.h"

#include "base/str.h"

#include <stdint.h>
#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define ALNUM LOWER UPPER DIGITS
#define DIGEST_HEX_MIN 32 /* the grammar's */

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* "a.b-c" with letters or digits at both ends of each label. */
static bool is_host(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool at_edge = i == 0 || i + 1 == n || s[i - 1] == '.' || s[i + 1] == '.';
        bool is_inner = s[i] == '-' || s[i] == '.';
        if (!is_one_of(s[i], ALNUM) && (!is_inner || at_edge))
            return false;
    }
    return n > 0;
}

/* The first part is a registry when it cannot be a path's: a dot, a port, upper case, localhost. */
static size_t registry_len(const char *s)
{
    size_t n = strcspn(s, "/");
    if (s[n] != '/')
        return 0;
    size_t marks = strcspn(s, ".:" UPPER);
    bool is_localhost = n == strlen("localhost") && memcmp(s, "localhost", n) == 0;
    return marks < n || is_localhost ? n : 0;
}

static bool is_registry(const char *s, size_t n)
{
    const char *colon = memchr(s, ':', n);
    if (!colon)
        return is_host(s, n);
    char port[8] = "";
    size_t len = n - (size_t)(colon + 1 - s);
    int64_t number;
    if (len >= sizeof port)
        return false;
    memcpy(port, colon + 1, len);
    return is_host(s, (size_t)(colon - s)) && strspn(port, DIGITS) == len &&
           str_to_i64(port, 1, UINT16_MAX, &number) == 0;
}

/* One part of the path: runs of [a-z0-9] joined by one ".", "_", "__" or any number of "-". */
static size_t path_part_len(const char *s)
{
    size_t n = strspn(s, LOWER DIGITS);
    for (size_t run = n; run > 0;) {
        size_t dashes = strspn(s + n, "-");
        size_t joint = dashes;
        if (dashes == 0)
            joint = s[n] == '.' ? 1 : strspn(s + n, "_");
        if (joint == 0 || (dashes == 0 && joint > 2))
            break;
        run = strspn(s + n + joint, LOWER DIGITS);
        if (run > 0)
            n += joint + run;
    }
    return n;
}

static size_t path_len(const char *s)
{
    size_t n = path_part_len(s);
    while (n > 0 && s[n] == '/') {
        size_t part = path_part_len(s + n + 1);
        if (part == 0)
            break;
        n += 1 + part;
    }
    return n;
}

static size_t tag_len(const char *s)
{
    return is_one_of(s[0], ALNUM "_") ? strspn(s, ALNUM "_.-") : 0;
}

/* "sha256:HEX"; the algorithm's name is made of components joined by one of "+.-_". */
static size_t digest_len(const char *s)
{
    size_t algorithm = is_one_of(s[0], LOWER UPPER) ? strspn(s, ALNUM "+.-_") : 0;
    if (algorithm == 0 || s[algorithm] != ':')
        return 0;
    size_t hex = strspn(s + algorithm + 1, DIGITS "abcdefABCDEF");
    return hex >= DIGEST_HEX_MIN ? algorithm + 1 + hex : 0;
}

const char *image_ref_parse(const char *text, struct image_ref *ret)
{
    struct image_ref r = {0};
    const char *at = text;

    if (strnlen(text, IMAGE_REF_MAX + 1) > IMAGE_REF_MAX)
        return "it is too long";
    r.registry = at;
    r.registry_len = registry_len(at);
    if (r.registry_len > 0 && !is_registry(at, r.registry_len))
        return "its registry is not a host name with an optional port";
    at += r.registry_len > 0 ? r.registry_len + 1 : 0;
    r.name = at;
    r.name_len = path_len(at);
    at += r.name_len;
    if (r.name_len == 0 || !is_one_of(*at, ":@"))
        if (r.name_len == 0 || *at != '\0')
            return "its name is not made of lower-case letters, digits and single separators";
    if ((size_t)(at - text) > IMAGE_NAME_MAX)
        return "its name is too long";
    if (*at == ':') {
        r.tag = at + 1;
        r.tag_len = tag_len(r.tag);
        if (r.tag_len == 0 || r.tag_len > IMAGE_TAG_MAX)
            return "its tag is not 1 to 128 letters, digits, '_', '.' or '-'";
        at = r.tag + r.tag_len;
    }
    if (*at == '@') {
        r.digest = at + 1;
        r.digest_len = digest_len(r.digest);
        if (r.digest_len == 0)
            return "its digest is not ALGORITHM:HEX";
        at = r.digest + r.digest_len;
    }
    if (*at != '\0')
        return "something follows its tag or digest";
    *ret = r;
    return NULL;
}
