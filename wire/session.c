/* The session as JSON: rows of the policy become an object of objects. */
#include "wire/session.h"

#include "base/str.h"
#include "wire/object.h"

/* The actions of one resource, from row i on; returns the row behind them. */
static size_t append_resource(struct wire_object *o, const struct wire_session *s, size_t i)
{
    const char *resource = s->may[i].resource;
    struct wire_object actions;

    wire_object_name(o, resource);
    wire_object_begin(&actions, o->out);
    for (; i < s->may_count && str_eq(s->may[i].resource, resource); i++)
        wire_object_str(&actions, s->may[i].action, s->may[i].scope);
    int err = wire_object_end(&actions);
    if (o->err == 0)
        o->err = err;
    return i;
}

int wire_session(struct buf *out, const struct wire_session *s)
{
    struct wire_object o, may;

    wire_object_begin(&o, out);
    wire_object_str(&o, "email", s->email);
    wire_object_str(&o, "role", s->role);
    wire_object_str(&o, "version", s->version);
    wire_object_name(&o, "may");
    wire_object_begin(&may, out);
    for (size_t i = 0; i < s->may_count;)
        i = append_resource(&may, s, i);
    int err = wire_object_end(&may);
    if (o.err == 0)
        o.err = err;
    return wire_object_end(&o);
}
