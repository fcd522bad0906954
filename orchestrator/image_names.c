/* What people call images: references taken apart with their defaults, and ids made. */
#include "orchestrator/images.h"

#include "base/str.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static int copy_part(char *dst, size_t size, const char *part, size_t len)
{
    if (len >= size)
        return ERR_INVALID;
    if (len > 0)
        memcpy(dst, part, len);
    dst[len] = '\0';
    return 0;
}

int images_parse(const char *text, struct images_name *ret)
{
    struct image_ref ref;
    struct images_name n;
    if (image_ref_parse(text, &ref) != NULL)
        return ERR_INVALID;
    int r = copy_part(n.registry, sizeof n.registry, ref.registry, ref.registry_len);
    if (r == 0)
        r = copy_part(n.name, sizeof n.name, ref.name, ref.name_len);
    if (r == 0)
        r = copy_part(n.tag, sizeof n.tag, ref.tag, ref.tag_len);
    if (r == 0)
        r = copy_part(n.digest, sizeof n.digest, ref.digest, ref.digest_len);
    if (r == 0 && n.tag[0] == '\0' && n.digest[0] == '\0')
        r = str_copy(n.tag, sizeof n.tag, IMAGE_DEFAULT_TAG);
    if (r == 0)
        *ret = n;
    return r;
}

/* Each with its NUL, so that no two lists of fields are the same bytes. */
static void hash_text(crypto_hash_sha256_state *state, const char *text)
{
    (void)crypto_hash_sha256_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void hash_number(crypto_hash_sha256_state *state, int64_t n)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, n);
    hash_text(state, text);
}

void images_make_id(const struct image *i, char ret[IMAGE_ID_MAX + 1])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[IMAGE_ID_HASH_LEN + 1];
    crypto_hash_sha256_state state;
    (void)crypto_hash_sha256_init(&state);
    hash_text(&state, i->registry);
    hash_text(&state, i->name);
    hash_text(&state, i->tag);
    hash_text(&state, i->digest);
    hash_number(&state, i->cpu);
    hash_number(&state, i->memory);
    hash_text(&state, i->runtime_platform);
    hash_text(&state, i->task_role_name);
    hash_text(&state, i->task_execution_role_name);
    (void)crypto_hash_sha256_final(&state, hash);
    str_hex(hash, IMAGE_ID_HASH_LEN / 2, hex);
    (void)snprintf(ret, IMAGE_ID_MAX + 1, "%s:%s-%s", i->name, i->tag[0] ? i->tag : "digest", hex);
}
