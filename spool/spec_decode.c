/*
 * The spec file's decoder. Bytes are judged before they are believed: checksum first, then each
 * field's tag, length and contents, then the rules of the whole (spec_is_valid).
 */
#include "spool/spec.h"

#include "spool/bytes.h"
#include "spool/format.h"
#include "spool/spec_format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A list as it grows; `n` saves counting it for each entry. */
struct items {
    char ***list; /* in the spec */
    size_t n;
};

struct decoder {
    struct run_spec *spec;
    struct items env, read_paths, write_paths, setup_env;
    uint32_t seen; /* bits of tags */
};

static int take_str(const uint8_t *p, size_t n, char **ret)
{
    if (memchr(p, '\0', n) != NULL)
        return -EBADMSG;
    char *s = malloc(n + 1);
    if (s == NULL)
        return -ENOMEM;
    memcpy(s, p, n);
    s[n] = '\0';
    *ret = s;
    return 0;
}

static int take_item(const uint8_t *p, size_t n, struct items *items)
{
    char *s = NULL;

    int rc = take_str(p, n, &s);
    if (rc < 0)
        return rc;
    char **grown = realloc(*items->list, (items->n + 2) * sizeof(*grown));
    if (grown == NULL) {
        free(s);
        return -ENOMEM;
    }
    grown[items->n++] = s;
    grown[items->n] = NULL;
    *items->list = grown;
    return 0;
}

static int take_id(const uint8_t *p, size_t n, char id[SPOOL_ID_LEN + 1])
{
    if (n != SPOOL_ID_LEN || memchr(p, '\0', n) != NULL)
        return -EBADMSG;
    memcpy(id, p, n);
    id[n] = '\0';
    return 0;
}

static int take_int(const uint8_t *p, size_t n, size_t width, uint64_t *ret)
{
    uint8_t b[8] = {0};
    if (n != width)
        return -EBADMSG;
    memcpy(b, p, n);
    *ret = get_u64(b);
    return 0;
}

static int take_bool(const uint8_t *p, size_t n, bool *ret)
{
    if (n != 1 || *p > 1)
        return -EBADMSG;
    *ret = *p == 1;
    return 0;
}

static int take_u32(const uint8_t *p, size_t n, uint32_t *ret)
{
    uint64_t v = 0;
    int rc = take_int(p, n, 4, &v);
    if (rc == 0)
        *ret = (uint32_t)v;
    return rc;
}

static int take_i64(const uint8_t *p, size_t n, int64_t *ret)
{
    uint64_t v = 0;
    int rc = take_int(p, n, 8, &v);
    if (rc == 0)
        *ret = (int64_t)v;
    return rc;
}

static int take_sandbox(const uint8_t *p, size_t n, enum spec_sandbox *ret)
{
    if (n != 1 || *p > SPEC_SANDBOX_CONTAINER)
        return -EBADMSG;
    *ret = (enum spec_sandbox) * p;
    return 0;
}

static int take_spool_full(const uint8_t *p, size_t n, enum spec_spool_full *ret)
{
    if (n != 1 || *p != SPEC_SPOOL_FULL_FAIL)
        return -EBADMSG;
    *ret = SPEC_SPOOL_FULL_FAIL;
    return 0;
}

static int take_field(struct decoder *d, uint16_t tag, const uint8_t *p, size_t n)
{
    struct run_spec *s = d->spec;

    switch (tag) {
    case SPEC_TAG_ID:
        return take_id(p, n, s->id);
    case SPEC_TAG_COMMAND:
        return take_str(p, n, &s->command);
    case SPEC_TAG_WORKSPACE:
        return take_str(p, n, &s->workspace);
    case SPEC_TAG_ENV:
        return take_item(p, n, &d->env);
    case SPEC_TAG_TTY:
        return take_bool(p, n, &s->tty);
    case SPEC_TAG_UID:
        return take_u32(p, n, &s->uid);
    case SPEC_TAG_GID:
        return take_u32(p, n, &s->gid);
    case SPEC_TAG_TIMEOUT:
        return take_i64(p, n, &s->timeout_ms);
    case SPEC_TAG_GRACE:
        return take_i64(p, n, &s->grace_ms);
    case SPEC_TAG_DRAIN:
        return take_i64(p, n, &s->drain_ms);
    case SPEC_TAG_SPOOL_MAX:
        return take_int(p, n, 8, &s->spool_max);
    case SPEC_TAG_SPOOL_FULL:
        return take_spool_full(p, n, &s->spool_full);
    case SPEC_TAG_SANDBOX:
        return take_sandbox(p, n, &s->sandbox);
    case SPEC_TAG_READ_PATH:
        return take_item(p, n, &d->read_paths);
    case SPEC_TAG_WRITE_PATH:
        return take_item(p, n, &d->write_paths);
    case SPEC_TAG_SETUP:
        return take_str(p, n, &s->setup);
    case SPEC_TAG_SETUP_ENV:
        return take_item(p, n, &d->setup_env);
    case SPEC_TAG_DIRECTORY:
        return take_str(p, n, &s->directory);
    case SPEC_TAG_USER:
        return take_str(p, n, &s->user);
    case SPEC_TAG_HIDDEN:
        return take_str(p, n, &s->hidden);
    default:
        return -EBADMSG;
    }
}

/* p: what lies between magic and trailer. */
static int take_fields(struct decoder *d, const uint8_t *p, size_t n)
{
    while (n > 0) {
        if (n < SPEC_FIELD_LEN)
            return -EBADMSG;
        uint16_t tag = get_u16(p);
        uint32_t len = get_u32(p + 2);
        if (tag >= SPEC_TAG_COUNT || len > n - SPEC_FIELD_LEN)
            return -EBADMSG;
        uint32_t bit = 1u << tag;
        if ((d->seen & bit & ~SPEC_TAGS_REPEATED) != 0)
            return -EBADMSG;
        d->seen |= bit;
        int rc = take_field(d, tag, p + SPEC_FIELD_LEN, len);
        if (rc < 0)
            return rc;
        p += SPEC_FIELD_LEN + len;
        n -= SPEC_FIELD_LEN + len;
    }
    return 0;
}

static int decode_into(const uint8_t *p, size_t n, struct run_spec *s)
{
    struct decoder d = {.spec = s,
                        .env.list = &s->env,
                        .read_paths.list = &s->read_paths,
                        .write_paths.list = &s->write_paths,
                        .setup_env.list = &s->setup_env};

    int rc = take_fields(&d, p, n);
    if (rc < 0)
        return rc;
    uint32_t ids = d.seen & SPEC_TAGS_IDS;
    if ((d.seen & SPEC_TAGS_REQUIRED) != SPEC_TAGS_REQUIRED || (ids != 0 && ids != SPEC_TAGS_IDS))
        return -EBADMSG;
    s->set_ids = ids != 0;
    return spec_is_valid(s) ? 0 : -EBADMSG;
}

int run_spec_decode(const uint8_t *p, size_t n, struct run_spec *ret)
{
    struct run_spec s = {.spool_max = 0};

    if (n < SPEC_MAGIC_LEN + SPEC_TRAILER_LEN || n > SPEC_BYTES_MAX ||
        memcmp(p, SPEC_MAGIC, SPEC_MAGIC_LEN) != 0)
        return -EBADMSG;
    const uint8_t *trailer = p + n - SPEC_TRAILER_LEN;
    if (get_u16(trailer) != SPEC_TAG_END || get_u32(trailer + 2) != 4 ||
        get_u32(trailer + SPEC_FIELD_LEN) != spool_crc32c(0, p, n - SPEC_TRAILER_LEN))
        return -EBADMSG;
    int rc = decode_into(p + SPEC_MAGIC_LEN, n - SPEC_MAGIC_LEN - SPEC_TRAILER_LEN, &s);
    if (rc < 0) {
        run_spec_done(&s);
        return rc;
    }
    *ret = s;
    return 0;
}
