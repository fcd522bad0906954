/* Values by type: parsing, ranges, and the words in which a refusal is put. */
#include "base/config_value.h"

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What of a refused value is shown. */
#define SHOWN_MAX 64

const struct config_option *config_find(const struct config_table *t, const char *name,
                                        size_t name_len)
{
    for (size_t i = 0; i < t->count; i++) {
        if (strlen(t->options[i].name) == name_len &&
            memcmp(t->options[i].name, name, name_len) == 0)
            return &t->options[i];
    }
    return NULL;
}

int config_variable(const char *name, struct buf *out)
{
    int r = buf_append_str(out, "TAILGATE_");

    for (; r == 0 && *name; name++) {
        char c = *name;

        if (c == '-')
            c = '_';
        else if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        r = buf_append_char(out, c);
    }
    return r;
}

/* Quoted and escaped, so that it stays one line; the rule follows. */
static int refuse(const struct config_option *o, const char *text, const char *must_be,
                  struct buf *rule)
{
    int r = 0;

    if (!o->secret) {
        r = json_append_string(rule, text, strnlen(text, SHOWN_MAX));
        if (r == 0)
            r = buf_append_char(rule, ' ');
    }
    if (r == 0)
        r = buf_printf(rule, "must be %s", must_be);
    return r < 0 ? r : ERR_INVALID;
}

static const char *unit_of(enum config_type type)
{
    switch (type) {
    case CONFIG_BYTES:
        return " bytes";
    case CONFIG_DURATION:
        return " ms";
    default:
        return "";
    }
}

static int check_range(const struct config_option *o, const char *text, int64_t value,
                       struct buf *rule)
{
    char must_be[96];

    if (o->min == 0 && o->max == 0) {
        return value < 0 ? refuse(o, text, "0 or more", rule) : 0;
    }
    if (value >= o->min && value <= o->max)
        return 0;
    int n = snprintf(must_be, sizeof(must_be), "between %" PRId64 " and %" PRId64 "%s", o->min,
                     o->max, unit_of(o->type));
    return n < 0 ? ERR_INTERNAL : refuse(o, text, must_be, rule);
}

static int set_bool(const struct config_option *o, bool *place, const char *text, struct buf *rule)
{
    static const char *const words[] = {"false", "true", "no", "yes", "off", "on", "0", "1"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(text, words[i]) == 0) {
            *place = i % 2 == 1;
            return 0;
        }
    }
    return refuse(o, text, "true or false", rule);
}

static int set_number(const struct config_option *o, int64_t *place, const char *text,
                      struct buf *rule)
{
    int64_t value;
    bool is_duration = o->type == CONFIG_DURATION;
    int r = is_duration ? str_to_duration_ms(text, &value)
                        : str_to_i64(text, INT64_MIN, INT64_MAX, &value);

    if (r < 0)
        return refuse(o, text,
                      is_duration ? "a duration such as 250ms, 10s, 5m, 24h" : "an integer", rule);
    r = check_range(o, text, value, rule);
    if (r == 0)
        *place = value;
    return r;
}

static int set_bytes(const struct config_option *o, uint64_t *place, const char *text,
                     struct buf *rule)
{
    uint64_t value;

    /* The range is of signed numbers; nobody has that many bytes. */
    if (str_to_bytes(text, &value) < 0 || value > INT64_MAX)
        return refuse(o, text, "a size such as 4096, 64KiB, 10MiB, 1GiB", rule);
    int r = check_range(o, text, (int64_t)value, rule);
    if (r == 0)
        *place = value;
    return r;
}

static int set_choice(const struct config_option *o, int64_t *place, const char *text,
                      struct buf *rule)
{
    char must_be[256];
    size_t n = strlen(text);
    int64_t index = 0;

    for (const char *choice = o->arg; choice; index++) {
        size_t len = strcspn(choice, "|");

        if (len == n && memcmp(choice, text, n) == 0) {
            *place = index;
            return 0;
        }
        choice = choice[len] ? choice + len + 1 : NULL;
    }
    int len = snprintf(must_be, sizeof(must_be), "one of %s", o->arg ? o->arg : "");
    return len < 0 ? ERR_INTERNAL : refuse(o, text, must_be, rule);
}

int config_set(const struct config_option *o, void *settings, const char *text, struct buf *rule)
{
    void *place = (char *)settings + o->offset;

    switch (o->type) {
    case CONFIG_STRING:
        return str_set(place, *text ? text : NULL);
    case CONFIG_BOOL:
        return set_bool(o, place, text, rule);
    case CONFIG_INT:
    case CONFIG_DURATION:
        return set_number(o, place, text, rule);
    case CONFIG_BYTES:
        return set_bytes(o, place, text, rule);
    case CONFIG_CHOICE:
        return set_choice(o, place, text, rule);
    }
    return ERR_INTERNAL;
}
