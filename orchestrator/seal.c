/*
 * The keys in memory and what is sealed with them. The key file is seal_file.c's; here it is read
 * again when it has changed.
 */
#include "orchestrator/seal.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "orchestrator/seal_file.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static_assert(SEAL_OVERHEAD == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES +
                                   crypto_aead_xchacha20poly1305_ietf_ABYTES,
              "overhead");
static_assert(SEAL_KEY_BYTES == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "key");

#define NONCE_BYTES crypto_aead_xchacha20poly1305_ietf_NPUBBYTES

struct sealer {
    char *path;
    struct seal_keys *keys; /* guarded memory */
};

int sealer_new(const char *path, bool make, struct buf *error, struct sealer **ret)
{
    if (sodium_init() < 0)
        return ERR_INTERNAL;
    struct sealer *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->keys = sodium_malloc(sizeof *s->keys);
    int r = s->keys ? str_set(&s->path, path) : ERR_NOMEM;
    if (r == 0 && make)
        r = seal_file_make(path, error);
    if (r == 0)
        r = seal_file_read(path, s->keys, error);
    if (r < 0) {
        sealer_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void sealer_free(struct sealer *s)
{
    if (!s)
        return;
    sodium_free(s->keys);
    free(s->path);
    free(s);
}

/* A file that cannot be read changes nothing: what is in memory goes on to serve. */
static void reread(struct sealer *s)
{
    struct buf error CLEANUP_BUF = {.max = 512};
    struct seal_keys *fresh = sodium_malloc(sizeof *fresh);
    if (fresh && seal_file_read(s->path, fresh, &error) == 0) {
        sodium_free(s->keys);
        s->keys = fresh;
        log_info("secrets key file read again", "key_id", s->keys->key[0].id);
        return;
    }
    sodium_free(fresh);
    log_error("secrets key file cannot be read again", "path", s->path, "error",
              error.len ? error.data : "out of memory");
}

const char *sealer_path(const struct sealer *s)
{
    return s->path;
}

const char *sealer_key_id(const struct sealer *s)
{
    return s->keys->key[0].id;
}

size_t sealer_count(const struct sealer *s)
{
    return s->keys->count;
}

const char *sealer_key_id_at(const struct sealer *s, size_t i)
{
    return s->keys->key[i].id;
}

static const struct seal_key *find(const struct sealer *s, const char *key_id)
{
    for (size_t i = 0; i < s->keys->count; i++) {
        if (str_eq(s->keys->key[i].id, key_id))
            return &s->keys->key[i];
    }
    return NULL;
}

bool sealer_has_key(const struct sealer *s, const char *key_id)
{
    return find(s, key_id) != NULL;
}

int seal(struct sealer *s, const char *context, const void *plain, size_t len, struct buf *out,
         char ret_key_id[SEAL_KEY_ID_SIZE])
{
    if (len > SIZE_MAX - SEAL_OVERHEAD)
        return ERR_TOO_LARGE;
    int r = buf_reserve(out, len + SEAL_OVERHEAD);
    if (r < 0)
        return r;
    if (seal_file_has_changed(s->path, s->keys))
        reread(s);
    uint8_t *nonce = (uint8_t *)out->data + out->len;
    randombytes_buf(nonce, NONCE_BYTES);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(nonce + NONCE_BYTES, NULL, plain, len,
                                                     (const uint8_t *)context, strlen(context),
                                                     NULL, nonce, s->keys->key[0].bytes);
    out->len += len + SEAL_OVERHEAD;
    out->data[out->len] = '\0';
    memcpy(ret_key_id, s->keys->key[0].id, SEAL_KEY_ID_SIZE);
    return 0;
}

int seal_open(struct sealer *s, const char *key_id, const char *context, const void *sealed,
              size_t len, void **ret, size_t *ret_len)
{
    if (!find(s, key_id))
        reread(s);
    const struct seal_key *key = find(s, key_id);
    if (!key)
        return ERR_NOT_FOUND;
    if (len < SEAL_OVERHEAD)
        return ERR_CORRUPT;
    size_t n = len - SEAL_OVERHEAD;
    uint8_t *plain = sodium_malloc(n + 1);
    if (!plain)
        return ERR_NOMEM;
    const uint8_t *nonce = sealed;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(plain, NULL, NULL, nonce + NONCE_BYTES,
                                                   len - NONCE_BYTES, (const uint8_t *)context,
                                                   strlen(context), nonce, key->bytes) != 0) {
        sodium_free(plain);
        return ERR_CORRUPT;
    }
    plain[n] = '\0';
    *ret = plain;
    *ret_len = n;
    return 0;
}

void seal_wipe(void *plain)
{
    sodium_free(plain);
}

/* ---- rotation ---- */

static int write_and_take(struct sealer *s, struct seal_keys *keys)
{
    int r = seal_file_write(s->path, keys);
    if (r < 0) {
        sodium_free(keys);
        return r;
    }
    sodium_free(s->keys);
    s->keys = keys;
    return 0;
}

int sealer_add_key(struct sealer *s)
{
    if (s->keys->count == SEAL_KEYS_MAX)
        return ERR_LIMIT;
    struct seal_keys *more = sodium_malloc(sizeof *more);
    if (!more)
        return ERR_NOMEM;
    *more = *s->keys;
    memmove(&more->key[1], &more->key[0], more->count * sizeof more->key[0]);
    more->count++;
    seal_key_make(&more->key[0]);
    return write_and_take(s, more);
}

int sealer_drop_key(struct sealer *s, const char *key_id)
{
    const struct seal_key *key = find(s, key_id);
    if (!key)
        return ERR_NOT_FOUND;
    size_t at = (size_t)(key - s->keys->key);
    if (at == 0)
        return ERR_INVALID;
    struct seal_keys *fewer = sodium_malloc(sizeof *fewer);
    if (!fewer)
        return ERR_NOMEM;
    *fewer = *s->keys;
    fewer->count--;
    memmove(&fewer->key[at], &fewer->key[at + 1], (fewer->count - at) * sizeof fewer->key[0]);
    return write_and_take(s, fewer);
}
