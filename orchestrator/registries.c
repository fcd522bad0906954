/* An image's registry, its secret, and that as the Engine API wants it. */
#include "orchestrator/registries.h"

#include "base/json.h"
#include "base/str.h"
#include "orchestrator/images.h"
#include "orchestrator/seal.h"
#include "orchestrator/secrets_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define ERROR_REGISTRY "failed to run command"
#define HUB_ADDRESS "https://index.docker.io/v1/" /* what daemons call IMAGE_DEFAULT_REGISTRY */
#define JSON_MAX 16384

struct asking {
    struct op op;
    registries_fn fn;
    void *user;
    char registry[IMAGE_NAME_MAX + 1];
    char name[SECRET_NAME_SIZE];
};

/* ---- the setting ---- */

/* One entry of a list; *at moves behind it. False: no more. */
static bool next_entry(const char **at, const char **entry, size_t *len)
{
    if (str_is_empty(*at))
        return false;
    *entry = *at;
    *len = strcspn(*at, ",");
    *at += *len;
    *at += **at == ',';
    return true;
}

bool registries_are_valid(const char *list)
{
    const char *at = list, *entry;
    size_t len;
    while (next_entry(&at, &entry, &len)) {
        const char *equals = memchr(entry, '=', len);
        size_t name_len = equals ? len - (size_t)(equals - entry) - 1 : 0;
        if (!equals || equals == entry || equals - entry > IMAGE_NAME_MAX || name_len == 0 ||
            name_len >= SECRET_NAME_SIZE)
            return false;
    }
    return true;
}

static bool find(const char *list, const char *registry, char ret[SECRET_NAME_SIZE])
{
    const char *at = list, *entry;
    size_t len, registry_len = strlen(registry);
    while (next_entry(&at, &entry, &len)) {
        size_t name_len = len - registry_len - 1;
        if (len <= registry_len + 1 || strncmp(entry, registry, registry_len) != 0 ||
            entry[registry_len] != '=' || name_len >= SECRET_NAME_SIZE)
            continue;
        memcpy(ret, entry + registry_len + 1, name_len);
        ret[name_len] = '\0';
        return true;
    }
    return false;
}

static bool look_up(const struct orchestrator *o, const char *image,
                    char registry[IMAGE_NAME_MAX + 1], char secret[SECRET_NAME_SIZE])
{
    struct images_name name;
    if (str_is_empty(o->registry_secrets) || images_parse(image, &name) < 0)
        return false;
    (void)snprintf(registry, IMAGE_NAME_MAX + 1, "%s",
                   name.registry[0] ? name.registry : IMAGE_DEFAULT_REGISTRY);
    return find(o->registry_secrets, registry, secret);
}

bool registries_is_secret(const struct orchestrator *o, const char *image)
{
    char registry[IMAGE_NAME_MAX + 1], secret[SECRET_NAME_SIZE];
    return look_up(o, image, registry, secret);
}

/* ---- the value ---- */

static void refuse(const struct asking *a, int err, const char *what)
{
    struct problem p;
    (void)problem_set(&p, err, ERROR_REGISTRY, "secret \"%.128s\" of registry \"%.200s\": %s",
                      a->name, a->registry, what);
    a->fn(a->user, &p, NULL);
}

/* JSON of USER:PASSWORD; NULL without memory. */
static char *make_json(const struct asking *a, const char *value, size_t user_len)
{
    const char *address = str_eq(a->registry, IMAGE_DEFAULT_REGISTRY) ? HUB_ADDRESS : a->registry;
    json_t *json CLEANUP_JSON =
        json_pack("{s:s%, s:s, s:s}", "username", value, user_len, "password", value + user_len + 1,
                  "serveraddress", address);
    return json ? json_dumps(json, JSON_COMPACT) : NULL;
}

static void hand_on(const struct asking *a, const char *value)
{
    size_t user_len = strcspn(value, ":");
    if (value[user_len] == '\0' || user_len == 0 || strlen(value) > JSON_MAX / 2) {
        refuse(a, ERR_INVALID, "its value must be USER:PASSWORD");
        return;
    }
    if (str_utf8_valid_prefix(value, strlen(value)) != strlen(value)) {
        refuse(a, ERR_INVALID, "its value is not of UTF-8");
        return;
    }
    char *json = make_json(a, value, user_len);
    size_t len = json ? strlen(json) : 0;
    size_t size = sodium_base64_encoded_len(len, sodium_base64_VARIANT_URLSAFE);
    char *auth = json ? malloc(size) : NULL;
    if (!auth) {
        refuse(a, ERR_NOMEM, "out of memory");
    } else {
        (void)sodium_bin2base64(auth, size, (const unsigned char *)json, len,
                                sodium_base64_VARIANT_URLSAFE);
        a->fn(a->user, NULL, auth);
        sodium_memzero(auth, size);
    }
    if (json)
        sodium_memzero(json, len);
    free(json);
    free(auth);
}

static void on_secret(void *user, int err, const struct store_secret *rows, size_t n)
{
    struct asking *a = user;
    const struct orchestrator *o = a->op.o;
    struct problem p;
    void *value = NULL;
    size_t len;
    if (!op_end(&a->op)) {
        free(a);
        return;
    }
    if (err < 0) {
        (void)problem_store(&p, err, ERROR_REGISTRY);
        a->fn(a->user, &p, NULL);
    } else if (n == 0) {
        refuse(a, ERR_INVALID, "there is no such secret");
    } else if (secret_open(o, &rows[0], ERROR_REGISTRY, &value, &len, &p) < 0) {
        a->fn(a->user, &p, NULL);
    } else {
        hand_on(a, value);
        seal_wipe(value);
    }
    free(a);
}

static void cancelled(struct op *op, const struct problem *p)
{
    struct asking *a = CONTAINER_OF(op, struct asking, op);
    a->fn(a->user, p, NULL);
}

int registries_ask(struct orchestrator *o, const char *image, registries_fn fn, void *user,
                   struct problem *p)
{
    struct asking *a = calloc(1, sizeof *a);
    if (!a)
        return problem_store(p, ERR_NOMEM, ERROR_REGISTRY);
    a->fn = fn;
    a->user = user;
    const char *name = a->name;
    int err = look_up(o, image, a->registry, a->name)
                  ? store_secret_get(o->pool, &name, 1, on_secret, a)
                  : ERR_NOT_FOUND;
    if (err < 0) {
        free(a);
        return problem_store(p, err, ERROR_REGISTRY);
    }
    op_begin(o, &a->op, cancelled);
    return 0;
}
