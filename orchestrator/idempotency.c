/* Each field goes into the hash with its length, so that no two requests run together. */
#include "orchestrator/idempotency.h"

#include <sodium.h>
#include <string.h>

static void put_bytes(crypto_generichash_state *h, const void *p, size_t n)
{
    uint64_t len = n;
    (void)crypto_generichash_update(h, (const unsigned char *)&len, sizeof len);
    (void)crypto_generichash_update(h, p, n);
}

/* NULL and "" are the same. */
static void put_text(crypto_generichash_state *h, const char *s)
{
    put_bytes(h, s ? s : "", s ? strlen(s) : 0);
}

static int by_name(const void *a, const void *b)
{
    const struct env_var *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int put_env(crypto_generichash_state *h, const struct run_request *r)
{
    struct env_var *sorted CLEANUP_FREE = calloc(r->env_count + 1, sizeof(*sorted));
    if (!sorted)
        return ERR_NOMEM;
    if (r->env_count > 0)
        memcpy(sorted, r->env, r->env_count * sizeof(*sorted));
    qsort(sorted, r->env_count, sizeof(*sorted), by_name);
    put_bytes(h, &r->env_count, sizeof r->env_count);
    for (size_t i = 0; i < r->env_count; i++) {
        put_text(h, sorted[i].name);
        put_text(h, sorted[i].value);
    }
    return 0;
}

int idempotency_hash(const struct run_request *r, uint8_t ret[IDEMPOTENCY_HASH_LEN])
{
    const char *const texts[] = {r->command, r->image, r->git_repo, r->git_ref, r->git_path};
    const int64_t numbers[] = {r->timeout_s, r->grace_s, r->tty};
    crypto_generichash_state h;
    (void)crypto_generichash_init(&h, NULL, 0, IDEMPOTENCY_HASH_LEN);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        put_text(&h, texts[i]);
    put_bytes(&h, numbers, sizeof numbers);
    put_bytes(&h, &r->secrets_count, sizeof r->secrets_count);
    for (size_t i = 0; i < r->secrets_count; i++)
        put_text(&h, r->secrets[i]);
    int err = put_env(&h, r);
    (void)crypto_generichash_final(&h, ret, IDEMPOTENCY_HASH_LEN);
    return err;
}
