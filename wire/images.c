/* Images in JSON; what is not set is left out, as Runvoy does. */
#include "wire/images.h"

#include "base/str.h"
#include "wire/object.h"

#include <string.h>

#define BODY_FAILED "invalid request body"
#define FIELD_FAILED "failed to register image"

int wire_image_request_decode(const char *body, size_t len, struct wire_image_request *ret,
                              struct problem *p)
{
    struct wire_image_request r = {0};
    json_t *doc CLEANUP_JSON = NULL;
    int e = json_parse(body, len, &doc, p);
    if (e == 0 && !json_is_object(doc))
        e = problem_set(p, ERR_INVALID, BODY_FAILED, "the body must be an object");
    if (e < 0) {
        problem_retitle(p, BODY_FAILED);
        return e;
    }
    e = json_get_str(doc, "image", false, SIZE_MAX, &r.image, p);
    if (e == 0)
        e = json_get_str(doc, "task_role_name", false, SIZE_MAX, &r.task_role_name, p);
    if (e == 0)
        e = json_get_str(doc, "task_execution_role_name", false, SIZE_MAX,
                         &r.task_execution_role_name, p);
    if (e == 0)
        e = json_get_str(doc, "runtime_platform", false, SIZE_MAX, &r.runtime_platform, p);
    if (e == 0)
        e = json_get_i64(doc, "cpu", false, INT64_MIN, INT64_MAX, &r.cpu, p);
    if (e == 0)
        e = json_get_i64(doc, "memory", false, INT64_MIN, INT64_MAX, &r.memory, p);
    if (e == 0)
        e = json_get_bool(doc, "is_default", false, &r.is_default, p);
    if (e < 0) {
        problem_retitle(p, FIELD_FAILED);
        return e;
    }
    r.doc = doc;
    doc = NULL;
    *ret = r;
    return 0;
}

void wire_image_request_done(struct wire_image_request *r)
{
    json_decref(r->doc);
    *r = (struct wire_image_request){0};
}

static void add_str(struct wire_object *o, const char *name, const char *value)
{
    if (!str_is_empty(value))
        wire_object_str(o, name, value);
}

static void add_amount(struct wire_object *o, const char *name, int64_t n)
{
    if (n != 0)
        wire_object_int(o, name, n);
}

int wire_image_request_encode(struct buf *out, const struct wire_image_request *r)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "image", r->image);
    if (r->is_default)
        wire_object_bool(&o, "is_default", true);
    add_str(&o, "task_role_name", r->task_role_name);
    add_str(&o, "task_execution_role_name", r->task_execution_role_name);
    add_amount(&o, "cpu", r->cpu);
    add_amount(&o, "memory", r->memory);
    add_str(&o, "runtime_platform", r->runtime_platform);
    return wire_object_end(&o);
}

int wire_image(struct buf *out, const struct image *i)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "image_id", i->image_id);
    wire_object_str(&o, "image", i->image);
    wire_object_bool(&o, "is_default", i->is_default);
    add_str(&o, "task_role_name", i->task_role_name);
    add_str(&o, "task_execution_role_name", i->task_execution_role_name);
    add_amount(&o, "cpu", i->cpu);
    add_amount(&o, "memory", i->memory);
    add_str(&o, "runtime_platform", i->runtime_platform);
    add_str(&o, "image_registry", i->registry);
    add_str(&o, "image_name", i->name);
    add_str(&o, "image_tag", i->tag);
    add_str(&o, "image_digest", i->digest);
    add_str(&o, "created_by", i->created_by);
    wire_object_name(&o, "owned_by");
    wire_object_raw(&o, "[", 1);
    if (!str_is_empty(i->created_by))
        wire_object_string(&o, i->created_by, strlen(i->created_by));
    wire_object_raw(&o, "]", 1);
    /* Runvoy's clients read null as no time and fail on "". */
    if (i->created_at_us)
        wire_object_time(&o, "created_at", i->created_at_us);
    else
        wire_object_null(&o, "created_at");
    wire_object_str(&o, "created_by_request_id", i->created_by_request_id);
    wire_object_str(&o, "modified_by_request_id", i->modified_by_request_id);
    return wire_object_end(&o);
}

int wire_images(struct buf *out, const struct image *images, size_t n)
{
    size_t before = out->len;
    int e = buf_append_str(out, "{\"images\":[");
    for (size_t i = 0; i < n && e == 0; i++) {
        e = i > 0 ? buf_append_char(out, ',') : 0;
        if (e == 0)
            e = wire_image(out, &images[i]);
    }
    if (e == 0)
        e = buf_append_str(out, "]}");
    if (e < 0 && out->data)
        out->data[out->len = before] = '\0';
    return e;
}

int wire_image_done(struct buf *out, const struct image *i, const char *message)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "image", i->image);
    wire_object_str(&o, "image_id", i->image_id);
    wire_object_str(&o, "message", message);
    return wire_object_end(&o);
}
