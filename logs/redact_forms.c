/*
 * A value's forms. Of base64 only the characters that the value alone determines: what stands
 * before and behind it in a longer text decides the outermost bits of others.
 */
#include "logs/redact_forms.h"

#include "base/err.h"
#include "logs/redact.h"

#include <string.h>

/* JSON's \u0000 is the longest form of a byte. */
#define GROWTH_MAX 6u

struct forms {
    struct automaton *a;
    const uint8_t *text;
    size_t len;
    uint8_t *out; /* room for GROWTH_MAX * len and base64's */
    size_t n;
};

static void put(struct forms *f, char c)
{
    f->out[f->n++] = (uint8_t)c;
}

static bool has_any(const struct forms *f, const char *bytes)
{
    for (const char *c = bytes; *c; c++) {
        if (memchr(f->text, *c, f->len))
            return true;
    }
    return false;
}

/* Long ones in pieces; the last one is as long as the others. */
static int add(struct automaton *a, const uint8_t *p, size_t len, bool wraps)
{
    if (len < REDACT_VALUE_MIN)
        return 0;
    while (len > REDACT_PIECE) {
        int rc = automaton_add(a, p, REDACT_PIECE, wraps);
        if (rc < 0)
            return rc;
        size_t by = len < 2 * REDACT_PIECE - 1 ? len - REDACT_PIECE : REDACT_PIECE - 1;
        p += by;
        len -= by;
    }
    return automaton_add(a, p, len, wraps);
}

static int add_out(struct forms *f)
{
    int rc = add(f->a, f->out, f->n, false);
    f->n = 0;
    return rc;
}

/* ---- base64 ---- */

/* RFC 4648 section 4; the automaton takes section 5's '-' and '_' for its last two. */
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int add_base64(struct forms *f, size_t before)
{
    size_t first = (before * 8 + 5) / 6, end = (before + f->len) * 8 / 6;
    for (size_t i = first; i < end; i++) {
        size_t bit = i * 6, at = bit / 8 - before;
        unsigned two = (unsigned)f->text[at] << 8;
        if (at + 1 < f->len)
            two |= f->text[at + 1];
        put(f, base64_digits[two >> (10 - bit % 8) & 63u]);
    }
    int rc = add(f->a, f->out, f->n, true);
    f->n = 0;
    return rc;
}

/* ---- URL ---- */

static void put_hex(struct forms *f, unsigned value, unsigned digits, bool lower)
{
    const char *hex = lower ? "0123456789abcdef" : "0123456789ABCDEF";
    while (digits-- > 0)
        put(f, hex[value >> 4 * digits & 15u]);
}

static bool is_plain(uint8_t c, const char *also)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr(also, c));
}

static int add_url(struct forms *f, const char *also, bool plus, bool lower)
{
    for (size_t i = 0; i < f->len; i++) {
        uint8_t c = f->text[i];
        if (is_plain(c, also)) {
            put(f, (char)c);
        } else if (c == ' ' && plus) {
            put(f, '+');
        } else {
            put(f, '%');
            put_hex(f, c, 2, lower);
        }
    }
    return add_out(f);
}

static int add_urls(struct forms *f)
{
    static const struct {
        const char *plain;   /* what is left as it is, beside letters and digits */
        const char *differs; /* in what it is not like the first */
    } KINDS[] = {
        {"", NULL},                                   /* everything: the strictest encoders */
        {"-_.~", "-_.~"},                             /* RFC 3986 2.3; Go's QueryEscape */
        {"-_.~/", "/"},                               /* Python's quote */
        {"-_.!~*'()", "!*'()"},                       /* JavaScript's encodeURIComponent */
        {"-_.!~*'();,/?:@&=+$#", "!*'();,/?:@&=+$#"}, /* its encodeURI */
        {"-_.*", "~*"},                               /* forms (URL standard, 5.1) */
        {"-_.~$&+=:@", "$&+=:@"},                     /* Go's PathEscape */
    };
    int rc = 0;
    bool spaces = has_any(f, " ");
    for (size_t i = 0; i < ARRAY_SIZE(KINDS) && rc == 0; i++) {
        if (KINDS[i].differs && !has_any(f, KINDS[i].differs))
            continue;
        for (unsigned variant = 0; variant < 4 && rc == 0; variant++) {
            if ((variant & 2u) == 0 || spaces)
                rc = add_url(f, KINDS[i].plain, variant & 2u, variant & 1u);
        }
    }
    return rc;
}

/* ---- JSON ---- */

#define JSON_SLASH 1u /* \/ */
#define JSON_HTML 2u  /* Go: \u003c for what HTML minds */
#define JSON_ASCII 4u /* \u for all that is not ASCII, as Python writes it */
#define JSON_UPPER 8u /* hexadecimal digits */
#define JSON_KINDS 16u

/* The character that begins with *p (n > 0 bytes), and its length; 0: not UTF-8. */
static size_t decode_utf8(const uint8_t *p, size_t n, uint32_t *ret)
{
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > n)
        return 0;
    uint32_t c = p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0u) != 0x80u)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    *ret = c;
    return len;
}

static void put_u(struct forms *f, uint32_t c, unsigned kind)
{
    if (c > 0xffff) { /* RFC 8259 section 7: a surrogate pair */
        put_u(f, 0xd800 + ((c - 0x10000) >> 10), kind);
        c = 0xdc00 + ((c - 0x10000) & 0x3ff);
    }
    put(f, '\\');
    put(f, 'u');
    put_hex(f, c, 4, !(kind & JSON_UPPER));
}

static void put_json_ascii(struct forms *f, uint8_t c, unsigned kind)
{
    static const char SHORT[] = "\"\\\b\f\n\r\t/", LETTERS[] = "\"\\bfnrt/";
    const char *at = c ? strchr(SHORT, c) : NULL;
    if (at && (c != '/' || kind & JSON_SLASH)) {
        put(f, '\\');
        put(f, LETTERS[at - SHORT]);
    } else if (c < 0x20 || (kind & JSON_HTML && strchr("<>&", c))) {
        put_u(f, c, kind);
    } else {
        put(f, (char)c);
    }
}

static int add_json(struct forms *f, unsigned kind)
{
    for (size_t i = 0; i < f->len;) {
        uint32_t c = 0;
        size_t n = 0;
        if (f->text[i] >= 0x80 && kind & JSON_ASCII)
            n = decode_utf8(f->text + i, f->len - i, &c);
        if (n > 0)
            put_u(f, c, kind);
        else
            put_json_ascii(f, f->text[i], kind);
        i += n > 0 ? n : 1;
    }
    return add_out(f);
}

static int add_jsons(struct forms *f)
{
    bool is_ascii = true, has_u = has_any(f, "<>&");
    for (size_t i = 0; i < f->len; i++) {
        is_ascii = is_ascii && f->text[i] < 0x80;
        has_u = has_u || f->text[i] < 0x20 || f->text[i] >= 0x80;
    }
    unsigned mask = (has_any(f, "/") ? JSON_SLASH : 0) | (has_any(f, "<>&") ? JSON_HTML : 0) |
                    (is_ascii ? 0 : JSON_ASCII) | (has_u ? JSON_UPPER : 0);
    int rc = 0;
    for (unsigned kind = 0; kind < JSON_KINDS && rc == 0; kind++) {
        if ((kind & ~mask) == 0)
            rc = add_json(f, kind);
    }
    return rc;
}

/* ---- all of them ---- */

static int add_forms(struct automaton *a, const uint8_t *text, size_t len)
{
    struct forms f = {.a = a, .text = text, .len = len};
    size_t size = GROWTH_MAX * len + 8;
    f.out = malloc(size);
    if (!f.out)
        return ERR_NOMEM;
    int rc = memchr(text, '\n', len) ? 0 : add(a, text, len, false);
    for (size_t before = 0; before < 3 && rc == 0; before++)
        rc = add_base64(&f, before);
    if (rc == 0)
        rc = add_urls(&f);
    if (rc == 0)
        rc = add_jsons(&f);
    explicit_bzero(f.out, size);
    free(f.out);
    return rc;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Without blanks at both ends: shells and programs drop them. */
static int add_trimmed(struct automaton *a, const uint8_t *p, size_t len)
{
    const uint8_t *whole = p;
    size_t whole_len = len;
    for (; len > 0 && is_blank(p[0]); len--)
        p++;
    while (len > 0 && is_blank(p[len - 1]))
        len--;
    if (len >= REDACT_VALUE_MIN)
        return add_forms(a, p, len);
    return whole_len >= REDACT_VALUE_MIN ? add_forms(a, whole, whole_len) : 0;
}

/* One of several lines. Blank ones tell nothing, and indentation would be lost with them. */
static int add_line(struct automaton *a, const uint8_t *p, size_t len)
{
    size_t blanks = 0;
    while (blanks < len && is_blank(p[blanks]))
        blanks++;
    return blanks < len ? add_trimmed(a, p, len) : 0;
}

int redact_forms_add(struct automaton *a, const uint8_t *value, size_t len)
{
    int rc = add_trimmed(a, value, len);
    const uint8_t *end = value + len, *eol = memchr(value, '\n', len);
    while (eol && rc == 0) {
        rc = add_line(a, value, (size_t)(eol - value));
        value = eol + 1;
        eol = memchr(value, '\n', (size_t)(end - value));
        if (!eol && rc == 0)
            rc = add_line(a, value, (size_t)(end - value));
    }
    return rc;
}
