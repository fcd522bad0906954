/*
 * The body of POST /run in both directions. Decoding checks every rule that needs no other
 * knowledge than the body; the strings handed out live as long as the parsed document.
 */
#include "base/fields.h"
#include "base/str.h"
#include "wire/messages.h"
#include "wire/object.h"

#include <string.h>

/* Linux refuses a longer argument or variable (MAX_ARG_STRLEN, 32 pages with the NUL). */
#define ARG_MAX_LEN (32 * 4096 - 1)
#define IMAGE_MAX_LEN 512
#define GIT_MAX_LEN 2048
#define NAME_MAX_LEN 255
/* A year, and a day: longer ones are mistakes of unit. */
#define TIMEOUT_MAX_S (366 * 86400)
#define GRACE_MAX_S 86400

static bool is_blank(const char *s)
{
    return s[strspn(s, " \t\r\n\v\f")] == '\0';
}

static int refuse(struct problem *p, const char *name, const char *rule)
{
    return problem_set(p, ERR_INVALID, "", "%s must be %s", name, rule);
}

static int check_env_value(const char *name, const json_t *value, struct problem *p)
{
    size_t name_len = strlen(name);
    struct problem fault;

    /* Its details begin with the field; among many variables the name says more. */
    if (field_check(FIELD_ENV_NAME, "", name, &fault) < 0)
        return problem_set(p, ERR_INVALID, "", "env: the name \"%.64s\"%s", name,
                           fault.details + strlen(field_rule(FIELD_ENV_NAME)->json));
    if (!json_is_string(value))
        return problem_set(p, ERR_INVALID, "", "env.%.64s must be a string", name);
    size_t len = json_string_length(value);
    if (strlen(json_string_value(value)) != len)
        return problem_set(p, ERR_INVALID, "", "env.%.64s must be without NUL", name);
    if (name_len > ARG_MAX_LEN || len > ARG_MAX_LEN - name_len - 1)
        return problem_set(p, ERR_INVALID, "", "env.%.64s must be at most %d bytes, name included",
                           name, ARG_MAX_LEN);
    return 0;
}

static int decode_env(struct wire_run_request *r, struct problem *p)
{
    json_t *env = json_object_get(r->doc, "env");
    const char *name;
    json_t *value;

    if (!env || json_is_null(env))
        return 0;
    if (!json_is_object(env))
        return refuse(p, "env", "an object of strings");
    size_t count = json_object_size(env);
    if (count == 0)
        return 0;
    r->env = calloc(count, sizeof(*r->env));
    if (!r->env)
        return problem_set(p, ERR_NOMEM, "", "out of memory");
    json_object_foreach (env, name, value) {
        int err = check_env_value(name, value, p);

        if (err < 0)
            return err;
        r->env[r->env_count++] = (struct wire_env){.name = name, .value = json_string_value(value)};
    }
    return 0;
}

static int decode_secrets(struct wire_run_request *r, struct problem *p)
{
    static const char rule[] = "an array of names, each a string of 1 to 255 bytes without NUL";
    const json_t *secrets = json_object_get(r->doc, "secrets");

    if (!secrets || json_is_null(secrets))
        return 0;
    if (!json_is_array(secrets))
        return refuse(p, "secrets", rule);
    size_t count = json_array_size(secrets);
    if (count == 0)
        return 0;
    r->secrets = calloc(count, sizeof(*r->secrets));
    if (!r->secrets)
        return problem_set(p, ERR_NOMEM, "", "out of memory");
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(secrets, i);
        size_t len = json_string_length(name); /* 0 for other types */

        if (len == 0 || len > NAME_MAX_LEN || strlen(json_string_value(name)) != len)
            return refuse(p, "secrets", rule);
        r->secrets[r->secrets_count++] = json_string_value(name);
    }
    return 0;
}

/* An optional string; an empty one is as if it were absent. */
static int get_optional(const json_t *doc, const char *name, size_t max_len, const char **ret,
                        struct problem *p)
{
    int r = json_get_str(doc, name, false, max_len, ret, p);

    if (r == 0 && str_is_empty(*ret))
        *ret = NULL;
    return r;
}

static int decode_fields(struct wire_run_request *r, struct problem *p)
{
    const struct {
        const char *name;
        size_t max_len;
        const char **place;
    } strings[] = {
        {"image", IMAGE_MAX_LEN, &r->image},
        {"git_repo", GIT_MAX_LEN, &r->git_repo},
        {"git_ref", GIT_MAX_LEN, &r->git_ref},
        {"git_path", GIT_MAX_LEN, &r->git_path},
        {"idempotency_key", NAME_MAX_LEN, &r->idempotency_key},
    };

    int err = json_get_str(r->doc, "command", false, ARG_MAX_LEN, &r->command, p);
    if (err == 0 && (!r->command || is_blank(r->command)))
        err = problem_set(p, ERR_INVALID, "", "command is required");
    for (size_t i = 0; err == 0 && i < ARRAY_SIZE(strings); i++)
        err = get_optional(r->doc, strings[i].name, strings[i].max_len, strings[i].place, p);
    if (err == 0)
        err = json_get_i64(r->doc, "timeout", false, 0, TIMEOUT_MAX_S, &r->timeout_s, p);
    if (err == 0)
        err = json_get_i64(r->doc, "grace", false, 0, GRACE_MAX_S, &r->grace_s, p);
    if (err == 0)
        err = json_get_bool(r->doc, "tty", false, &r->tty, p);
    if (err == 0)
        err = decode_env(r, p);
    if (err == 0)
        err = decode_secrets(r, p);
    return err;
}

int wire_run_request_decode(const char *body, size_t len, struct wire_run_request *ret,
                            struct problem *p)
{
    struct wire_run_request r = {.timeout_s = -1, .grace_s = -1};

    int err = json_parse_nul(body, len, &r.doc, p);
    if (err == 0 && !json_is_object(r.doc))
        err = problem_set(p, ERR_INVALID, "", "the body must be a JSON object");
    if (err < 0) {
        problem_retitle(p, "invalid request body");
        wire_run_request_done(&r);
        return err;
    }
    err = decode_fields(&r, p);
    if (err < 0) {
        problem_retitle(p, "failed to run command");
        wire_run_request_done(&r);
        return err;
    }
    *ret = r;
    return 0;
}

void wire_run_request_done(struct wire_run_request *r)
{
    free(r->env);
    free(r->secrets);
    json_decref(r->doc);
    memset(r, 0, sizeof(*r));
}

static void encode_env(struct wire_object *o, const struct wire_run_request *r)
{
    wire_object_name(o, "env");
    wire_object_raw(o, "{", 1);
    for (size_t i = 0; i < r->env_count; i++) {
        if (i > 0)
            wire_object_raw(o, ",", 1);
        wire_object_string(o, r->env[i].name, strlen(r->env[i].name));
        wire_object_raw(o, ":", 1);
        wire_object_string(o, r->env[i].value, strlen(r->env[i].value));
    }
    wire_object_raw(o, "}", 1);
}

static void encode_secrets(struct wire_object *o, const struct wire_run_request *r)
{
    wire_object_name(o, "secrets");
    wire_object_raw(o, "[", 1);
    for (size_t i = 0; i < r->secrets_count; i++) {
        if (i > 0)
            wire_object_raw(o, ",", 1);
        wire_object_string(o, r->secrets[i], strlen(r->secrets[i]));
    }
    wire_object_raw(o, "]", 1);
}

int wire_run_request_encode(struct buf *out, const struct wire_run_request *r)
{
    struct wire_object o;

    wire_object_begin(&o, out);
    wire_object_str(&o, "command", r->command);
    if (r->image)
        wire_object_str(&o, "image", r->image);
    if (r->env_count > 0)
        encode_env(&o, r);
    if (r->timeout_s >= 0)
        wire_object_int(&o, "timeout", r->timeout_s);
    if (r->grace_s >= 0)
        wire_object_int(&o, "grace", r->grace_s);
    if (r->tty)
        wire_object_bool(&o, "tty", true);
    if (r->secrets_count > 0)
        encode_secrets(&o, r);
    if (r->git_repo)
        wire_object_str(&o, "git_repo", r->git_repo);
    if (r->git_ref)
        wire_object_str(&o, "git_ref", r->git_ref);
    if (r->git_path)
        wire_object_str(&o, "git_path", r->git_path);
    if (r->idempotency_key)
        wire_object_str(&o, "idempotency_key", r->idempotency_key);
    return wire_object_end(&o);
}
