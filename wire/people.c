/* Users, claims and API keys as JSON. */
#include "wire/people.h"

#include "wire/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Longer than any field may be: what is longer is told apart by the field's own rule. */
#define TEXT_MAX_LEN 65536

/* ---- requests ---- */

static int decode_fields(struct wire_people_request *r, struct problem *p)
{
    const struct {
        const char *name;
        const char **place;
    } fields[] = {
        {"email", &r->email},
        {"role", &r->role},
        {"api_key", &r->api_key},
        {"description", &r->description},
    };
    int err = 0;

    for (size_t i = 0; err == 0 && i < ARRAY_SIZE(fields); i++)
        err = json_get_str(r->doc, fields[i].name, false, TEXT_MAX_LEN, fields[i].place, p);
    return err;
}

int wire_people_request_decode(const char *body, size_t len, const char *failed,
                               struct wire_people_request *ret, struct problem *p)
{
    struct wire_people_request r = {0};
    bool is_empty = len == 0;
    int err = json_parse(is_empty ? "{}" : body, is_empty ? 2 : len, &r.doc, p);

    if (err == 0 && !json_is_object(r.doc))
        err = problem_set(p, ERR_INVALID, "", "the body must be a JSON object");
    if (err < 0) {
        problem_retitle(p, "invalid request body");
    } else {
        err = decode_fields(&r, p);
        if (err < 0)
            problem_retitle(p, failed);
    }
    if (err < 0) {
        wire_people_request_done(&r);
        return err;
    }
    *ret = r;
    return 0;
}

void wire_people_request_done(struct wire_people_request *r)
{
    json_decref(r->doc);
    memset(r, 0, sizeof(*r));
}

int wire_people_request_encode(struct buf *out, const struct wire_people_request *r)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    if (r->email)
        wire_object_str(&o, "email", r->email);
    if (r->role)
        wire_object_str(&o, "role", r->role);
    if (r->description)
        wire_object_str(&o, "description", r->description);
    return wire_object_end(&o);
}

/* ---- answers ---- */

int wire_user(struct buf *out, const struct user *u)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "email", u->email);
    wire_object_str(&o, "role", role_name(u->role));
    wire_object_time(&o, "created_at", u->created_at_us);
    wire_object_bool(&o, "revoked", u->is_revoked);
    if (u->last_used_us)
        wire_object_time(&o, "last_used", u->last_used_us);
    wire_object_str(&o, "created_by_request_id", u->created_by_request_id);
    wire_object_str(&o, "modified_by_request_id", u->modified_by_request_id);
    return wire_object_end(&o);
}

/* The object's parts go to the same buffer: a failure of one is kept for the end. */
static void append(struct wire_object *o, int err)
{
    if (o->err == 0)
        o->err = err;
}

int wire_user_created(struct buf *out, const struct user *u, const char *claim_token)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_name(&o, "user");
    append(&o, o.err ? o.err : wire_user(out, u));
    wire_object_str(&o, "claim_token", claim_token);
    return wire_object_end(&o);
}

int wire_users(struct buf *out, const struct user *rows, size_t n)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_name(&o, "users");
    wire_object_raw(&o, "[", 1);
    for (size_t i = 0; i < n && o.err == 0; i++) {
        if (i > 0)
            wire_object_raw(&o, ",", 1);
        append(&o, o.err ? o.err : wire_user(out, &rows[i]));
    }
    wire_object_raw(&o, "]", 1);
    return wire_object_end(&o);
}

int wire_user_revoked(struct buf *out, const char *email)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "message", "user API key revoked successfully");
    wire_object_str(&o, "email", email);
    return wire_object_end(&o);
}

int wire_claim(struct buf *out, const char *key, const char *email)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "api_key", key);
    wire_object_str(&o, "user_email", email);
    wire_object_str(&o, "message", "keep this key: it is not shown again");
    return wire_object_end(&o);
}

static void append_id(struct wire_object *o, int64_t key_id)
{
    char id[24];

    (void)snprintf(id, sizeof(id), "%" PRId64, key_id); /* 20 characters at most */
    wire_object_str(o, "id", id);
}

static void append_key(struct wire_object *o, const struct api_key *k)
{
    append_id(o, k->key_id);
    wire_object_str(o, "prefix", k->prefix);
    wire_object_str(o, "description", k->description);
    wire_object_time(o, "created_at", k->created_at_us);
    if (k->last_used_us)
        wire_object_time(o, "last_used_at", k->last_used_us);
    wire_object_bool(o, "revoked", k->is_revoked);
}

int wire_api_key_created(struct buf *out, const struct api_key *k, const char *key)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "api_key", key);
    append_key(&o, k);
    return wire_object_end(&o);
}

static int wire_api_key(struct buf *out, const struct api_key *k)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    append_key(&o, k);
    return wire_object_end(&o);
}

int wire_api_keys(struct buf *out, const struct api_key *rows, size_t n)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_name(&o, "api_keys");
    wire_object_raw(&o, "[", 1);
    for (size_t i = 0; i < n && o.err == 0; i++) {
        if (i > 0)
            wire_object_raw(&o, ",", 1);
        append(&o, o.err ? o.err : wire_api_key(out, &rows[i]));
    }
    wire_object_raw(&o, "]", 1);
    return wire_object_end(&o);
}

int wire_api_key_revoked(struct buf *out, int64_t key_id)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    append_id(&o, key_id);
    wire_object_str(&o, "message", "API key revoked");
    return wire_object_end(&o);
}
