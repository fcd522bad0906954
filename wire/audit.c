/* Audit entries and traces in JSON. */
#include "wire/audit.h"

#include "base/str.h"
#include "wire/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int append_entry(struct buf *out, const struct audit_entry *e)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_int(&o, "audit_id", e->audit_id);
    wire_object_time(&o, "at", e->at_us);
    wire_object_str(&o, "email", e->email);
    if (e->key_id)
        wire_object_int(&o, "key_id", e->key_id);
    wire_object_str(&o, "address", e->address);
    wire_object_str(&o, "request_id", e->request_id);
    wire_object_str(&o, "action", e->action);
    wire_object_str(&o, "resource", e->resource);
    wire_object_str(&o, "result", e->result);
    wire_object_int(&o, "count", e->count);
    return wire_object_end(&o);
}

/* What a failed answer has left is taken back. */
static int finish(struct buf *out, size_t before, int err)
{
    if (err < 0 && out->data) {
        out->len = before;
        out->data[before] = '\0';
    }
    return err;
}

int wire_audit(struct buf *out, const struct audit_entry *entries, size_t n)
{
    size_t before = out->len;
    int e = buf_append_str(out, "{\"entries\":[");
    for (size_t i = 0; i < n && e == 0; i++) {
        e = i > 0 ? buf_append_char(out, ',') : 0;
        if (e == 0)
            e = append_entry(out, &entries[i]);
    }
    if (e == 0)
        e = buf_append_str(out, "]}");
    return finish(out, before, e);
}

static int append_record(struct buf *out, const struct trace_record *r)
{
    struct wire_object o;
    char id[32];

    (void)snprintf(id, sizeof(id), "trace-%020" PRId64, r->record_id);
    wire_object_begin(&o, out);
    wire_object_str(&o, "event_id", id);
    wire_object_int(&o, "timestamp", r->at_us / 1000);
    wire_object_name(&o, "message");
    wire_object_string(&o, r->text, r->len);
    return wire_object_end(&o);
}

static int append_logs(struct buf *out, const struct trace *t)
{
    int e;
    if (t->count == 0)
        return buf_append_str(out, "null");
    e = buf_append_char(out, '[');
    for (size_t i = 0; i < t->count && e == 0; i++) {
        e = i > 0 ? buf_append_char(out, ',') : 0;
        if (e == 0)
            e = append_record(out, &t->records[i]);
    }
    return e < 0 ? e : buf_append_char(out, ']');
}

int wire_trace(struct buf *out, const struct trace *t)
{
    const struct {
        const char *name, *array;
    } resources[] = {
        {"executions", t->executions},
        {"secrets", t->secrets},
        {"users", t->users},
        {"images", t->images},
    };
    size_t before = out->len;
    const char *separator = "";
    int e = buf_append_str(out, "{\"logs\":");
    if (e == 0)
        e = append_logs(out, t);
    if (e == 0)
        e = buf_append_str(out, ",\"related_resources\":{");
    for (size_t i = 0; i < ARRAY_SIZE(resources) && e == 0; i++) {
        if (str_is_empty(resources[i].array))
            continue;
        e = buf_printf(out, "%s\"%s\":%s", separator, resources[i].name, resources[i].array);
        separator = ",";
    }
    if (e == 0)
        e = buf_append_str(out, "}}");
    return finish(out, before, e);
}
