/* tailgate.v1, client to server, both directions (api.md, "Streams"). */
#include "base/str.h"
#include "wire/messages.h"
#include "wire/object.h"

#include <string.h>

#define TYPE_MAX_LEN 64
#define KEY_MAX_LEN 512
#define SINCE_MAX_LEN 4096

static int decode_type(const json_t *doc, enum wire_client_type *ret, struct problem *p)
{
    static const struct {
        const char *name;
        enum wire_client_type type;
    } types[] = {
        {"auth", WIRE_AUTH}, {"subscribe", WIRE_SUBSCRIBE}, {"unsubscribe", WIRE_UNSUBSCRIBE}};
    const char *name = NULL;

    int r = json_get_str(doc, "type", true, TYPE_MAX_LEN, &name, p);
    if (r < 0)
        return r;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        if (strcmp(name, types[i].name) == 0) {
            *ret = types[i].type;
            return 0;
        }
    }
    return problem_set(p, ERR_INVALID, "", "type must be auth, subscribe or unsubscribe");
}

/* What is subscribed: one execution or the list, never both. */
static int decode_topic(struct wire_client_message *m, struct problem *p)
{
    const char *id = NULL;

    int r = json_get_bool(m->doc, "executions", false, &m->executions, p);
    if (r == 0)
        r = json_get_str(m->doc, "execution_id", !m->executions, TYPE_MAX_LEN, &id, p);
    if (r < 0)
        return r;
    if (m->executions && id)
        return problem_set(p, ERR_INVALID, "",
                           "execution_id and executions must not be given together");
    if (id && execution_id_parse(id, &m->id) < 0)
        return problem_set(p, ERR_INVALID, "",
                           "execution_id must be 32 lower-case hexadecimal digits");
    return 0;
}

static int decode_position(const json_t *doc, const char *name, bool *ret_has, uint64_t *ret,
                           struct problem *p)
{
    int64_t n = -1;

    int r = json_get_i64(doc, name, false, 0, INT64_MAX, &n, p);
    if (r < 0)
        return r;
    *ret_has = n >= 0;
    *ret = n >= 0 ? (uint64_t)n : 0;
    return 0;
}

static int decode_fields(struct wire_client_message *m, struct problem *p)
{
    int r = decode_type(m->doc, &m->type, p);

    if (r < 0)
        return r;
    if (m->type == WIRE_AUTH)
        return json_get_str(m->doc, "key", true, KEY_MAX_LEN, &m->key, p);
    r = decode_topic(m, p);
    if (r < 0 || m->type == WIRE_UNSUBSCRIBE)
        return r;
    if (m->executions)
        return json_get_str(m->doc, "since", false, SINCE_MAX_LEN, &m->since, p);
    r = decode_position(m->doc, "after", &m->has_after, &m->after, p);
    if (r == 0)
        r = decode_position(m->doc, "tail", &m->has_tail, &m->tail, p);
    if (r == 0 && m->has_after && m->has_tail)
        r = problem_set(p, ERR_INVALID, "", "after and tail must not be given together");
    if (r == 0)
        r = json_get_bool(m->doc, "follow", false, &m->follow, p);
    return r;
}

int wire_client_decode(const char *text, size_t len, struct wire_client_message *ret,
                       struct problem *p)
{
    struct wire_client_message m = {.follow = true};

    int r = json_parse(text, len, &m.doc, p);
    if (r == 0)
        r = decode_fields(&m, p);
    if (r < 0) {
        problem_retitle(p, "invalid message");
        wire_client_done(&m);
        return r;
    }
    *ret = m;
    return 0;
}

void wire_client_done(struct wire_client_message *m)
{
    json_decref(m->doc);
    memset(m, 0, sizeof(*m));
}

int wire_client_auth(struct buf *out, const char *key)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "type", "auth");
    wire_object_str(&o, "key", key);
    return wire_object_end(&o);
}

int wire_client_subscribe(struct buf *out, const struct execution_id *id, bool has_after,
                          uint64_t after, bool has_tail, uint64_t tail, bool follow)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "type", "subscribe");
    wire_object_str(&o, "execution_id", id->hex);
    if (has_after)
        wire_object_int(&o, "after", (int64_t)after);
    if (has_tail)
        wire_object_int(&o, "tail", (int64_t)tail);
    if (!follow)
        wire_object_bool(&o, "follow", false);
    return wire_object_end(&o);
}
