/*
 * Plans (plan.h). Fields: v variable of the request, s variable of a secret (both NAME=VALUE) ·
 * r git_repo, f git_ref, d git_path · i image, p platform, a registry_auth, c cpu, m memory (both
 * decimal).
 */
#include "orchestrator/plan.h"

#include "base/str.h"
#include "logs/redact.h"
#include "orchestrator/internal.h"
#include "orchestrator/seal.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "P1"
#define FIELD_HEAD 5u
#define CONTEXT_SIZE 48
/* Of secrets; their redactor takes 4 ms. No byte makes more than 120 in all its forms: 20 of at
 * most six bytes each. */
#define LOOP_SECRETS_MAX 1024u
static_assert(LOOP_SECRETS_MAX * 120 <= REDACT_FORMS_MAX, "small plans stay under the limit");

void plan_init(struct plan *p)
{
    *p = (struct plan){0};
}

static void wipe_string(char *s)
{
    if (s)
        sodium_memzero(s, strlen(s));
    free(s);
}

void plan_done(struct plan *p)
{
    for (size_t i = 0; i < p->var_count; i++)
        wipe_string(p->vars[i].text);
    free(p->vars);
    free(p->git_repo);
    free(p->git_ref);
    free(p->git_path);
    free(p->image);
    free(p->platform);
    wipe_string(p->registry_auth);
    plan_init(p);
}

bool plan_is_empty(const struct plan *p)
{
    return p->var_count == 0 && !p->git_repo && !p->image && p->cpu == 0 && p->memory == 0;
}

static bool is_named(const char *text, const char *name, size_t len)
{
    return strncmp(text, name, len) == 0 && text[len] == '=';
}

/* Takes text over. */
static int put_text(struct plan *p, char *text, bool is_secret)
{
    size_t len = strcspn(text, "=");
    for (size_t i = 0; i < p->var_count; i++) {
        if (is_named(p->vars[i].text, text, len)) {
            wipe_string(p->vars[i].text);
            p->vars[i] = (struct plan_var){text, is_secret};
            return 0;
        }
    }
    struct plan_var *grown = realloc(p->vars, (p->var_count + 1) * sizeof *grown);
    if (!grown) {
        wipe_string(text);
        return ERR_NOMEM;
    }
    p->vars = grown;
    p->vars[p->var_count++] = (struct plan_var){text, is_secret};
    return 0;
}

int plan_set(struct plan *p, const char *name, const char *value, bool is_secret)
{
    size_t size = strlen(name) + 1 + strlen(value) + 1;
    char *text = malloc(size);
    if (!text)
        return ERR_NOMEM;
    (void)snprintf(text, size, "%s=%s", name, value);
    return put_text(p, text, is_secret);
}

const char *plan_get(const struct plan *p, const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < p->var_count; i++) {
        if (is_named(p->vars[i].text, name, len))
            return p->vars[i].text + len + 1;
    }
    return NULL;
}

/* ---- bytes ---- */

static int put_field(struct buf *out, char letter, const char *text)
{
    uint32_t len = (uint32_t)strlen(text);
    const uint8_t head[FIELD_HEAD] = {(uint8_t)letter, (uint8_t)len, (uint8_t)(len >> 8),
                                      (uint8_t)(len >> 16), (uint8_t)(len >> 24)};
    int err = buf_append(out, head, sizeof head);
    return err < 0 ? err : buf_append(out, text, len);
}

static int put_number(struct buf *out, char letter, int64_t v)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, v);
    return v == 0 ? 0 : put_field(out, letter, text);
}

int plan_encode(const struct plan *p, struct buf *out)
{
    const struct {
        char letter;
        const char *text;
    } texts[] = {{'r', p->git_repo}, {'f', p->git_ref},  {'d', p->git_path},
                 {'i', p->image},    {'p', p->platform}, {'a', p->registry_auth}};
    int err = buf_append_str(out, MAGIC);
    for (size_t i = 0; err == 0 && i < p->var_count; i++)
        err = put_field(out, p->vars[i].is_secret ? 's' : 'v', p->vars[i].text);
    for (size_t i = 0; err == 0 && i < ARRAY_SIZE(texts); i++)
        err = texts[i].text ? put_field(out, texts[i].letter, texts[i].text) : 0;
    if (err == 0)
        err = put_number(out, 'c', p->cpu);
    return err < 0 ? err : put_number(out, 'm', p->memory);
}

/* text is taken over. */
static int take_field(struct plan *p, char letter, char *text)
{
    static const char letters[] = "rfdipa";
    char **const places[] = {&p->git_repo, &p->git_ref,  &p->git_path,
                             &p->image,    &p->platform, &p->registry_auth};
    const char *at = strchr(letters, letter);
    int err = ERR_CORRUPT;
    if ((letter == 'v' || letter == 's') && strchr(text, '='))
        return put_text(p, text, letter == 's');
    if (letter != '\0' && at) {
        char **place = places[at - letters];
        free(*place);
        *place = text;
        return 0;
    }
    if (letter == 'c' || letter == 'm')
        err = str_to_i64(text, 0, INT64_MAX, letter == 'c' ? &p->cpu : &p->memory);
    wipe_string(text);
    return err < 0 ? ERR_CORRUPT : 0;
}

static int take_fields(struct plan *p, const uint8_t *at, size_t len)
{
    while (len > 0) {
        if (len < FIELD_HEAD)
            return ERR_CORRUPT;
        size_t n = (size_t)at[1] | (size_t)at[2] << 8 | (size_t)at[3] << 16 | (size_t)at[4] << 24;
        char letter = (char)at[0];
        at += FIELD_HEAD;
        len -= FIELD_HEAD;
        if (n > len || memchr(at, '\0', n))
            return ERR_CORRUPT;
        char *text = malloc(n + 1);
        if (!text)
            return ERR_NOMEM;
        memcpy(text, at, n);
        text[n] = '\0';
        int err = take_field(p, letter, text);
        if (err < 0)
            return err;
        at += n;
        len -= n;
    }
    return 0;
}

int plan_decode(const void *bytes, size_t len, struct plan *ret)
{
    struct plan p;
    plan_init(&p);
    if (len < strlen(MAGIC) || memcmp(bytes, MAGIC, strlen(MAGIC)) != 0)
        return ERR_CORRUPT;
    int err = take_fields(&p, (const uint8_t *)bytes + strlen(MAGIC), len - strlen(MAGIC));
    if (err < 0)
        plan_done(&p);
    else
        *ret = p;
    return err;
}

/* ---- sealed ---- */

/* The other half of the id is PostgreSQL's to choose. */
static void make_context(const char *random_hex, char ret[CONTEXT_SIZE])
{
    (void)snprintf(ret, CONTEXT_SIZE, "execution/%s", random_hex);
}

int plan_seal(struct orchestrator *o, const struct plan *p, uint64_t random, struct buf *out,
              char *ret_key_id)
{
    char hex[17], context[CONTEXT_SIZE];
    struct buf plain = {.max = PLAN_BYTES_MAX};
    if (!o->opts.sealer)
        return ERR_INTERNAL;
    (void)snprintf(hex, sizeof hex, "%016" PRIx64, random);
    make_context(hex, context);
    int err = plan_encode(p, &plain);
    if (err == 0)
        err = seal(o->opts.sealer, context, plain.data, plain.len, out, ret_key_id);
    if (plain.data)
        sodium_memzero(plain.data, plain.cap);
    buf_done(&plain);
    return err;
}

int plan_open(struct orchestrator *o, const struct execution_id *id, const char *key_id,
              const void *sealed, size_t len, struct plan *ret)
{
    char context[CONTEXT_SIZE];
    void *plain;
    size_t plain_len;
    if (!key_id) {
        plan_init(ret);
        return 0;
    }
    if (!o->opts.sealer)
        return ERR_NOT_FOUND;
    make_context(id->hex + EXECUTION_ID_LEN / 2, context);
    int err = seal_open(o->opts.sealer, key_id, context, sealed, len, &plain, &plain_len);
    if (err < 0)
        return err;
    err = plan_decode(plain, plain_len, ret);
    seal_wipe(plain);
    return err;
}

/* ---- what is secret ---- */

/* The value when it is secret, else NULL. */
static const char *secret_value(const struct plan_var *v)
{
    char name[256];
    size_t len = strcspn(v->text, "=");
    if (v->is_secret)
        return v->text + len + 1;
    /* What does not fit is taken for a name that says it. */
    if (len >= sizeof name)
        return v->text + len + 1;
    memcpy(name, v->text, len);
    name[len] = '\0';
    return redact_name_is_secret(name) ? v->text + len + 1 : NULL;
}

int plan_redactor(const struct plan *p, struct redactor **ret)
{
    struct redactor *r = NULL;
    struct redact_value *values = calloc(p->var_count + 1, sizeof *values);
    size_t n = 0;
    if (!values)
        return ERR_NOMEM;
    for (size_t i = 0; i < p->var_count; i++) {
        const char *value = secret_value(&p->vars[i]);
        if (value)
            values[n++] = (struct redact_value){value, strlen(value)};
    }
    int err = n > 0 ? redactor_new(values, n, REDACT_FORMS_MAX, &r) : 0;
    free(values);
    if (err == 0)
        *ret = r;
    return err;
}

bool plan_is_large(const struct plan *p)
{
    size_t bytes = 0;
    for (size_t i = 0; i < p->var_count; i++) {
        const char *value = secret_value(&p->vars[i]);
        bytes += value ? strlen(value) : 0;
    }
    return bytes > LOOP_SECRETS_MAX;
}

int plan_unredacted(const struct plan *p, struct buf *out)
{
    int err = 0;
    for (size_t i = 0; err == 0 && i < p->var_count; i++) {
        const char *value = secret_value(&p->vars[i]);
        if (!value || *value == '\0' || redact_covers(strlen(value)))
            continue;
        err = buf_printf(out, "%s%.*s", out->len > 0 ? ", " : "",
                         (int)strcspn(p->vars[i].text, "="), p->vars[i].text);
    }
    return err;
}
