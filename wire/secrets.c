/* Secrets in JSON. */
#include "wire/secrets.h"

#include "base/str.h"
#include "wire/object.h"

#include <string.h>

int wire_secret_request_decode(const char *body, size_t len, const char *failed,
                               struct wire_secret_request *ret, struct problem *p)
{
    static const char BODY_FAILED[] = "invalid request body";
    struct wire_secret_request r = {0};
    const struct {
        const char *name;
        const char **place;
    } fields[] = {
        {"name", &r.name},
        {"key_name", &r.key_name},
        {"description", &r.description},
        {"value", &r.value},
    };
    json_t *doc CLEANUP_JSON = NULL;
    int e = json_parse(body, len, &doc, p);
    if (e == 0 && !json_is_object(doc))
        e = problem_set(p, ERR_INVALID, BODY_FAILED, "the body must be a JSON object");
    if (e < 0) {
        problem_retitle(p, BODY_FAILED);
        return e;
    }
    for (size_t i = 0; i < ARRAY_SIZE(fields) && e == 0; i++)
        e = json_get_str(doc, fields[i].name, false, SIZE_MAX, fields[i].place, p);
    if (e < 0) {
        problem_retitle(p, failed);
        return e;
    }
    r.doc = TAKE_PTR(doc);
    *ret = r;
    return 0;
}

void wire_secret_request_done(struct wire_secret_request *r)
{
    json_decref(r->doc);
    *r = (struct wire_secret_request){0};
}

static void add_str(struct wire_object *o, const char *name, const char *value)
{
    if (value)
        wire_object_str(o, name, value);
}

int wire_secret_request_encode(struct buf *out, const struct wire_secret_request *r)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    add_str(&o, "name", r->name);
    add_str(&o, "key_name", r->key_name);
    add_str(&o, "description", r->description);
    add_str(&o, "value", r->value);
    return wire_object_end(&o);
}

static int append(struct buf *out, const struct secret *s)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "name", s->name);
    wire_object_str(&o, "key_name", s->key_name);
    add_str(&o, "description", str_is_empty(s->description) ? NULL : s->description);
    add_str(&o, "value", s->value);
    wire_object_str(&o, "created_by", s->created_by);
    wire_object_name(&o, "owned_by");
    wire_object_raw(&o, "[", 1);
    wire_object_string(&o, s->created_by, strlen(s->created_by));
    wire_object_raw(&o, "]", 1);
    wire_object_time(&o, "created_at", s->created_at_us);
    wire_object_time(&o, "updated_at", s->updated_at_us);
    wire_object_str(&o, "updated_by", s->updated_by);
    wire_object_str(&o, "created_by_request_id", s->created_by_request_id);
    wire_object_str(&o, "modified_by_request_id", s->modified_by_request_id);
    return wire_object_end(&o);
}

int wire_secret(struct buf *out, const struct secret *s)
{
    int err = buf_append_str(out, "{\"secret\":");
    if (err == 0)
        err = append(out, s);
    return err ? err : buf_append_char(out, '}');
}

int wire_secrets(struct buf *out, const struct secret *rows, size_t n)
{
    int err = buf_append_str(out, "{\"secrets\":[");
    for (size_t i = 0; i < n && err == 0; i++) {
        if (i > 0)
            err = buf_append_char(out, ',');
        if (err == 0)
            err = append(out, &rows[i]);
    }
    return err ? err : buf_printf(out, "],\"total\":%zu}", n);
}

int wire_secret_done(struct buf *out, const char *name, const char *message)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    add_str(&o, "name", name);
    wire_object_str(&o, "message", message);
    return wire_object_end(&o);
}
