/*
 * JSON in both directions. Reading goes through jansson with typed, checked access; what is written
 * in bulk (log lines) is appended straight to the buffer, plain runs a word at a time.
 */
#include "base/json.h"

#include "base/str.h"

#include <endian.h>
#include <inttypes.h>
#include <string.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/*
 * jansson 2.14 ignores a failed growth of the text that it is reading: the value then lacks a byte
 * and looks fine. So what it allocates goes through here, and a parse during which an allocation
 * failed is a failed one. The flag is reset by each parse, on the thread that parses.
 */
static _Thread_local bool has_alloc_failed;

static void *watched_malloc(size_t n)
{
    void *p = malloc(n);

    if (!p)
        has_alloc_failed = true;
    return p;
}

__attribute__((constructor)) static void watch_allocations(void)
{
    json_set_alloc_funcs(watched_malloc, free);
}

static int parse(const char *text, size_t len, size_t flags, json_t **ret, struct problem *p)
{
    json_error_t error;

    if (len == 0)
        return problem_set(p, ERR_INVALID, "invalid JSON", "the text is empty");
    /* jansson takes a NUL byte for the end and would not look at what follows. */
    if (memchr(text, '\0', len))
        return problem_set(p, ERR_INVALID, "invalid JSON", "NUL byte in the text");
    has_alloc_failed = false;
    json_t *value = json_loadb(text, len, flags | JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (has_alloc_failed) {
        json_decref(value);
        return problem_set(p, ERR_NOMEM, "out of memory", "the request could not be read");
    }
    if (value) {
        *ret = value;
        return 0;
    }
    /* What stands near the error may be a key that was sent by mistake; the text gets logged. */
    char *near = strstr(error.text, " near '");
    if (near)
        *near = '\0';
    return problem_set(p, ERR_INVALID, "invalid JSON", "line %d, column %d: %s", error.line,
                       error.column, error.text);
}

int json_parse(const char *text, size_t len, json_t **ret, struct problem *p)
{
    return parse(text, len, 0, ret, p);
}

int json_parse_nul(const char *text, size_t len, json_t **ret, struct problem *p)
{
    return parse(text, len, JSON_ALLOW_NUL, ret, p);
}

static int refuse(struct problem *p, const char *name, const char *rule)
{
    return problem_set(p, ERR_INVALID, "invalid request", "%s must be %s", name, rule);
}

/*
 * The field, checked to be there when required. *ret is NULL when it is absent or null.
 */
static int find(const json_t *obj, const char *name, bool required, const char *rule,
                const json_t **ret, struct problem *p)
{
    if (!json_is_object(obj))
        return problem_set(p, ERR_INVALID, "invalid request", "must be an object");
    const json_t *value = json_object_get(obj, name);
    if (json_is_null(value))
        value = NULL;
    if (!value && required)
        return problem_set(p, ERR_INVALID, "invalid request", "%s is required: it must be %s", name,
                           rule);
    *ret = value;
    return 0;
}

int json_get_str(const json_t *obj, const char *name, bool required, size_t max_len,
                 const char **ret, struct problem *p)
{
    const json_t *value = NULL;

    int r = find(obj, name, required, "a string", &value, p);
    if (r < 0 || !value)
        return r;
    if (!json_is_string(value))
        return refuse(p, name, "a string");
    size_t len = json_string_length(value);
    if (len > max_len)
        return problem_set(p, ERR_INVALID, "invalid request", "%s must be at most %zu bytes", name,
                           max_len);
    if (strlen(json_string_value(value)) != len)
        return refuse(p, name, "without NUL");
    *ret = json_string_value(value);
    return 0;
}

int json_get_i64(const json_t *obj, const char *name, bool required, int64_t min, int64_t max,
                 int64_t *ret, struct problem *p)
{
    const json_t *value = NULL;

    int r = find(obj, name, required, "an integer", &value, p);
    if (r < 0 || !value)
        return r;
    if (!json_is_integer(value))
        return refuse(p, name, "an integer");
    int64_t n = json_integer_value(value);
    if (n < min || n > max)
        return problem_set(p, ERR_INVALID, "invalid request",
                           "%s must be between %" PRId64 " and %" PRId64, name, min, max);
    *ret = n;
    return 0;
}

int json_get_bool(const json_t *obj, const char *name, bool required, bool *ret, struct problem *p)
{
    const json_t *value = NULL;

    int r = find(obj, name, required, "true or false", &value, p);
    if (r < 0 || !value)
        return r;
    if (!json_is_boolean(value))
        return refuse(p, name, "true or false");
    *ret = json_is_true(value);
    return 0;
}

struct dump {
    struct buf *out;
    int err;
};

static int append_dumped(const char *text, size_t n, void *user)
{
    struct dump *d = user;

    d->err = buf_append(d->out, text, n);
    return d->err < 0 ? -1 : 0;
}

/* Back to what the buffer held before a failed append of several pieces. */
static int undo(struct buf *out, size_t len, int err)
{
    out->len = len;
    if (out->data)
        out->data[len] = '\0';
    return err;
}

int json_append(struct buf *out, const json_t *j)
{
    struct dump d = {.out = out};
    size_t start = out->len;

    if (json_dump_callback(j, append_dumped, &d, JSON_COMPACT | JSON_ENCODE_ANY) == 0)
        return 0;
    return undo(out, start, d.err < 0 ? d.err : ERR_NOMEM);
}

/* High bit of each byte of w that is zero; exact in the lowest such byte. */
static uint64_t zero_bytes(uint64_t w)
{
    return (w - 0x0101010101010101u) & ~w & 0x8080808080808080u;
}

/*
 * High bit of each byte that is a control character, a quote, a backslash or not ASCII; exact in
 * the lowest such byte: a borrow only reaches bytes above one that is marked rightly.
 */
static uint64_t special_bytes(uint64_t w)
{
    uint64_t below_space = (w - 0x2020202020202020u) & ~w;

    return ((w | below_space) & 0x8080808080808080u) | zero_bytes(w ^ 0x2222222222222222u) |
           zero_bytes(w ^ 0x5C5C5C5C5C5C5C5Cu);
}

static bool byte_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

/* First byte from i that is not plain ASCII. */
static size_t ascii_run(const char *s, size_t i, size_t n)
{
    for (; n - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
        uint64_t word;

        memcpy(&word, s + i, sizeof(word));
        uint64_t special = special_bytes(le64toh(word)); /* first byte lowest */
        if (special)
            return i + (size_t)__builtin_ctzll(special) / 8;
    }
    while (i < n && byte_is_plain((unsigned char)s[i]))
        i++;
    return i;
}

/* End of the run from i that is copied as it is: plain ASCII and valid multi-byte characters. */
static size_t plain_run(const char *s, size_t i, size_t n)
{
    for (;;) {
        bool valid = false;

        i = ascii_run(s, i, n);
        if (i == n || (unsigned char)s[i] < 0x80)
            return i;
        size_t step = str_utf8_step(s + i, n - i, &valid);
        if (!valid)
            return i;
        i += step;
    }
}

/* RFC 8259 section 7: the two-character escapes; 0 = \u00XX. */
static char short_escape(char c)
{
    switch (c) {
    case '"':
    case '\\':
        return c;
    case '\n':
        return 'n';
    case '\t':
        return 't';
    case '\r':
        return 'r';
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    default:
        return 0;
    }
}

static int append_escape(struct buf *out, char c)
{
    char text[] = "\\u0000";

    if (short_escape(c)) {
        text[1] = short_escape(c);
        return buf_append(out, text, 2);
    }
    str_hex(&c, 1, text + 4);
    return buf_append(out, text, 6);
}

int json_append_string(struct buf *out, const char *s, size_t n)
{
    size_t start = out->len;
    int r = buf_append_char(out, '"');

    for (size_t i = 0; r == 0 && i < n;) {
        size_t end = plain_run(s, i, n);

        if (end > i)
            r = buf_append(out, s + i, end - i);
        i = end;
        if (r < 0 || i == n)
            break;
        bool valid;
        size_t step = str_utf8_step(s + i, n - i, &valid);
        r = valid ? append_escape(out, s[i]) : buf_append_str(out, REPLACEMENT);
        i += step;
    }
    if (r == 0)
        r = buf_append_char(out, '"');
    return r < 0 ? undo(out, start, r) : 0;
}
