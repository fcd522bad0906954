/* The object writer: every encoder of this folder but the log lines goes through it. */
#include "wire/object.h"

#include "base/json.h"
#include "base/str.h"

#include <string.h>

int wire_append_int(struct buf *out, int64_t n)
{
    char text[20]; /* "-9223372036854775808" */
    char *p = text + sizeof(text);
    uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;

    do {
        *--p = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (n < 0)
        *--p = '-';
    return buf_append(out, p, (size_t)(text + sizeof(text) - p));
}

void wire_object_raw(struct wire_object *o, const char *text, size_t len)
{
    if (o->err == 0)
        o->err = buf_append(o->out, text, len);
}

void wire_object_string(struct wire_object *o, const char *text, size_t len)
{
    if (o->err == 0)
        o->err = json_append_string(o->out, text, len);
}

void wire_object_begin(struct wire_object *o, struct buf *out)
{
    *o = (struct wire_object){.out = out, .start = out->len};
    wire_object_raw(o, "{", 1);
}

void wire_object_name(struct wire_object *o, const char *name)
{
    if (o->has_field)
        wire_object_raw(o, ",", 1);
    wire_object_raw(o, "\"", 1);
    wire_object_raw(o, name, strlen(name));
    wire_object_raw(o, "\":", 2);
    o->has_field = true;
}

void wire_object_str(struct wire_object *o, const char *name, const char *value)
{
    wire_object_name(o, name);
    wire_object_string(o, value ? value : "", value ? strlen(value) : 0);
}

void wire_object_int(struct wire_object *o, const char *name, int64_t value)
{
    wire_object_name(o, name);
    if (o->err == 0)
        o->err = wire_append_int(o->out, value);
}

void wire_object_bool(struct wire_object *o, const char *name, bool value)
{
    wire_object_name(o, name);
    wire_object_raw(o, value ? "true" : "false", value ? 4 : 5);
}

void wire_object_null(struct wire_object *o, const char *name)
{
    wire_object_name(o, name);
    wire_object_raw(o, "null", 4);
}

void wire_object_time(struct wire_object *o, const char *name, int64_t us)
{
    char text[STR_TIME_SIZE];

    str_time(us, text);
    wire_object_str(o, name, text);
}

int wire_object_pause(struct wire_object *o)
{
    if (o->err < 0) {
        o->out->len = o->start;
        if (o->out->data)
            o->out->data[o->start] = '\0';
    }
    return o->err;
}

int wire_object_end(struct wire_object *o)
{
    wire_object_raw(o, "}", 1);
    return wire_object_pause(o);
}
