/* Specs from elsewhere: damage anywhere, and fields that break the rules under a right checksum. */
#include "spool/spec.h"

#include "spool/bytes.h"
#include "spool/format.h"
#include "spool/spec_format.h"

#include "golden.h"

static void test_spec_decode__any_bit_flipped_or_cut__refused(void **state)
{
    struct run_spec s;
    uint8_t p[1024];
    size_t n = golden_load("spool_spec/full/spec", p, sizeof(p));
    for (size_t bit = 0; bit < n * 8; bit++) {
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(run_spec_decode(p, n, &s), -EBADMSG);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t k = 0; k < n; k++)
        assert_int_equal(run_spec_decode(p, k, &s), -EBADMSG);
    (void)state;
}

/* Fields with a right checksum around them. */
struct raw {
    uint8_t p[1024];
    size_t n;
};

static void raw_field(struct raw *r, uint16_t tag, const void *p, size_t n)
{
    put_u16(r->p + r->n, tag);
    put_u32(r->p + r->n + 2, (uint32_t)n);
    memcpy(r->p + r->n + 6, p, n);
    r->n += 6 + n;
}

/* A valid minimal spec without the field `skip`, not yet sealed. */
static void raw_begin(struct raw *r, uint16_t skip)
{
    static const uint8_t number[8] = {1};
    static const uint8_t zero[1] = {0};
    const struct {
        uint16_t tag;
        const void *p;
        size_t n;
    } rows[] = {
        {SPEC_TAG_ID, TEST_ID, 32},  {SPEC_TAG_COMMAND, "true", 4},   {SPEC_TAG_WORKSPACE, "/w", 2},
        {SPEC_TAG_TTY, zero, 1},     {SPEC_TAG_TIMEOUT, number, 8},   {SPEC_TAG_GRACE, number, 8},
        {SPEC_TAG_DRAIN, number, 8}, {SPEC_TAG_SPOOL_MAX, number, 8}, {SPEC_TAG_SANDBOX, zero, 1}};
    memcpy(r->p, SPEC_MAGIC, 8);
    r->n = 8;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].tag != skip)
            raw_field(r, rows[i].tag, rows[i].p, rows[i].n);
    }
}

static int raw_decode(struct raw *r)
{
    struct run_spec s;
    uint8_t crc[4];
    put_u32(crc, spool_crc32c(0, r->p, r->n));
    raw_field(r, SPEC_TAG_END, crc, 4);
    int rc = run_spec_decode(r->p, r->n, &s);
    if (rc == 0)
        run_spec_done(&s);
    return rc;
}

static void test_spec_decode__fields__rules_hold(void **state)
{
    static const uint8_t two[1] = {2};
    static const uint8_t four[1] = {4};
    static const uint8_t zero[1] = {0};
    static const uint8_t negative[8] = {0, 0, 0, 0, 0, 0, 0, 0x80};
    static const struct {
        uint16_t skip, tag;
        const void *p;
        size_t n;
        int want;
    } rows[] = {
        {SPEC_TAG_COUNT, SPEC_TAG_ENV, "A=1", 3, 0},
        {SPEC_TAG_ID, SPEC_TAG_ENV, "A=1", 3, -EBADMSG}, /* required one missing */
        {SPEC_TAG_COMMAND, SPEC_TAG_ENV, "A=1", 3, -EBADMSG},
        {SPEC_TAG_SANDBOX, SPEC_TAG_ENV, "A=1", 3, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_ENV, "A", 1, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_ENV, "A=\0b", 4, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_COMMAND, "again", 5, -EBADMSG}, /* twice */
        {SPEC_TAG_COMMAND, SPEC_TAG_COMMAND, "a\0b", 3, -EBADMSG},
        {SPEC_TAG_COMMAND, SPEC_TAG_COMMAND, "", 0, 0},
        {SPEC_TAG_WORKSPACE, SPEC_TAG_WORKSPACE, "w", 1, -EBADMSG},
        {SPEC_TAG_ID, SPEC_TAG_ID, "short", 5, -EBADMSG},
        {SPEC_TAG_ID, SPEC_TAG_ID,
         "0011223344556677\0"
         "899aabbccddeeff",
         32, -EBADMSG},
        {SPEC_TAG_TTY, SPEC_TAG_TTY, two, 1, -EBADMSG},
        {SPEC_TAG_TTY, SPEC_TAG_TTY, "", 0, -EBADMSG},
        {SPEC_TAG_SANDBOX, SPEC_TAG_SANDBOX, four, 1, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_SPOOL_FULL, "\1", 1, 0},
        {SPEC_TAG_COUNT, SPEC_TAG_SPOOL_FULL, zero, 1,
         -EBADMSG}, /* absent is the one way to say it */
        {SPEC_TAG_COUNT, SPEC_TAG_SPOOL_FULL, "\1\0", 2, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_USER, "node", 4, -EBADMSG}, /* not of a container */
        {SPEC_TAG_GRACE, SPEC_TAG_GRACE, negative, 8, -EBADMSG},
        {SPEC_TAG_GRACE, SPEC_TAG_GRACE, negative, 4, -EBADMSG},
        {SPEC_TAG_SPOOL_MAX, SPEC_TAG_SPOOL_MAX, "\0\0\0\0\0\0\0\0", 8, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_UID, "\1\0\0\0", 4, -EBADMSG}, /* without gid */
        {SPEC_TAG_COUNT, SPEC_TAG_GID, "\1\0\0", 3, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_READ_PATH, "/a", 2, 0},
        {SPEC_TAG_COUNT, SPEC_TAG_WRITE_PATH, "a", 1, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_COUNT, "x", 1, -EBADMSG}, /* unknown */
        {SPEC_TAG_COUNT, 0xffff, "x", 1, -EBADMSG},
        {SPEC_TAG_COUNT, SPEC_TAG_END, "xxxx", 4, -EBADMSG}, /* the end in the middle */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct raw r;
        raw_begin(&r, rows[i].skip);
        raw_field(&r, rows[i].tag, rows[i].p, rows[i].n);
        assert_int_equal(raw_decode(&r), rows[i].want);
    }
    (void)state;
}

static void test_spec_decode__length_past_the_end__refused(void **state)
{
    struct raw r;
    raw_begin(&r, SPEC_TAG_COUNT);
    put_u16(r.p + r.n, SPEC_TAG_ENV);
    put_u32(r.p + r.n + 2, 1000);
    r.n += 6;
    assert_int_equal(raw_decode(&r), -EBADMSG);
    raw_begin(&r, SPEC_TAG_COUNT);
    memset(r.p + r.n, 0, 5); /* less than a field's head */
    r.n += 5;
    assert_int_equal(raw_decode(&r), -EBADMSG);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spec_decode__any_bit_flipped_or_cut__refused),
        cmocka_unit_test(test_spec_decode__fields__rules_hold),
        cmocka_unit_test(test_spec_decode__length_past_the_end__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
