/* The spec file: golden bytes, the rules it keeps, damage, allocation failures. */
#include "spool/spec.h"

#include "spool/bytes.h"
#include "spool/format.h"
#include "spool/rundir.h"
#include "spool/spec_format.h"

#include "golden.h"

#include <sys/stat.h>

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

static int allocation_fails_at; /* 1: the next; 0: none */

static bool fails(void)
{
    return allocation_fails_at > 0 && --allocation_fails_at == 0;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

static char *env[] = {"PATH=/usr/bin:/bin", "EMPTY=", "A=b=c", NULL};
static char *reads[] = {"/opt/tools", NULL};
static char *writes[] = {"/var/cache/x", "/tmp", NULL};

static struct run_spec minimal_spec(void)
{
    return (struct run_spec){.id = TEST_ID, .command = "true", .workspace = "/w", .spool_max = 1};
}

static struct run_spec full_spec(void)
{
    return (struct run_spec){.id = TEST_ID,
                             .command = "echo \"$A\"\nexit 3",
                             .workspace = "/var/lib/tailgate/work/1",
                             .env = env,
                             .tty = true,
                             .set_ids = true,
                             .uid = 65534,
                             .gid = 65533,
                             .timeout_ms = 3600000,
                             .grace_ms = 10000,
                             .drain_ms = 2000,
                             .spool_max = 256u << 20,
                             .sandbox = SPEC_SANDBOX_FILES,
                             .read_paths = reads,
                             .write_paths = writes};
}

static void assert_lists_equal(char *const *a, char *const *b)
{
    size_t i = 0;
    for (; a != NULL && a[i] != NULL; i++)
        assert_string_equal(a[i], b[i]);
    assert_true(b == NULL ? i == 0 : b[i] == NULL);
}

static void assert_specs_equal(const struct run_spec *a, const struct run_spec *b)
{
    assert_string_equal(a->id, b->id);
    assert_string_equal(a->command, b->command);
    assert_string_equal(a->workspace, b->workspace);
    assert_lists_equal(a->env, b->env);
    assert_lists_equal(a->read_paths, b->read_paths);
    assert_lists_equal(a->write_paths, b->write_paths);
    assert_int_equal(a->tty, b->tty);
    assert_int_equal(a->set_ids, b->set_ids);
    assert_int_equal(a->uid, b->uid);
    assert_int_equal(a->gid, b->gid);
    assert_true(a->timeout_ms == b->timeout_ms && a->grace_ms == b->grace_ms);
    assert_true(a->drain_ms == b->drain_ms && a->spool_max == b->spool_max);
    assert_int_equal(a->sandbox, b->sandbox);
}

static void test_spec__golden__same_back(void **state)
{
    const struct {
        const char *file;
        struct run_spec spec;
    } rows[] = {{"spool_spec/minimal/spec", minimal_spec()}, {"spool_spec/full/spec", full_spec()}};
    for (size_t i = 0; i < 2; i++) {
        struct run_spec back;
        uint8_t *p = NULL;
        size_t n = 0;
        assert_int_equal(run_spec_encode(&rows[i].spec, &p, &n), 0);
        golden_check(rows[i].file, p, n);
        assert_int_equal(run_spec_decode(p, n, &back), 0);
        assert_specs_equal(&rows[i].spec, &back);
        run_spec_done(&back);
        free(p);
    }
    (void)state;
}

static void test_spec_encode__rules__refused(void **state)
{
    static char *bad_env[] = {"=x", NULL};
    static char *no_equals[] = {"A=1", "NOVALUE", NULL};
    static char *relative[] = {"opt", NULL};
    struct run_spec rows[13];
    for (size_t i = 0; i < 13; i++)
        rows[i] = full_spec();
    rows[0].id[31] = '\0';
    rows[1].id[5] = 'G';
    rows[2].command = NULL;
    rows[3].workspace = NULL;
    rows[4].workspace = "w";
    rows[5].env = bad_env;
    rows[6].env = no_equals;
    rows[7].read_paths = relative;
    rows[8].write_paths = relative;
    rows[9].timeout_ms = -1;
    rows[10].grace_ms = INT64_MAX;
    rows[11].drain_ms = -5;
    rows[12].spool_max = 0;
    for (size_t i = 0; i < 13; i++) {
        uint8_t *p = NULL;
        size_t n = 0;
        assert_int_equal(run_spec_encode(&rows[i], &p, &n), -EINVAL);
        assert_null(p);
    }
    (void)state;
}

static void test_spec_encode__too_large__refused(void **state)
{
    struct run_spec s = minimal_spec();
    uint8_t *p = NULL;
    size_t n = 0;
    char *large = malloc(SPEC_BYTES_MAX + 1u);
    assert_non_null(large);
    memset(large, 'x', SPEC_BYTES_MAX);
    large[SPEC_BYTES_MAX] = '\0';
    s.command = large;
    assert_int_equal(run_spec_encode(&s, &p, &n), -EMSGSIZE);
    free(large);
    (void)state;
}

static void test_spec_decode__any_bit_flipped__refused(void **state)
{
    struct run_spec s = full_spec();
    struct run_spec back;
    uint8_t *p = NULL;
    size_t n = 0;
    assert_int_equal(run_spec_encode(&s, &p, &n), 0);
    for (size_t bit = 0; bit < n * 8; bit++) {
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(run_spec_decode(p, n, &back), -EBADMSG);
        p[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t k = 0; k < n; k++)
        assert_int_equal(run_spec_decode(p, k, &back), -EBADMSG);
    free(p);
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
    static const uint8_t three[1] = {3};
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
        {SPEC_TAG_SANDBOX, SPEC_TAG_SANDBOX, three, 1, -EBADMSG},
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

static void test_spec__each_allocation_fails__nothing_leaks(void **state)
{
    struct run_spec s = full_spec();
    struct run_spec back;
    uint8_t *p = NULL;
    size_t n = 0;
    int rc = -ENOMEM;
    allocation_fails_at = 1;
    assert_int_equal(run_spec_encode(&s, &p, &n), -ENOMEM);
    allocation_fails_at = 0;
    assert_int_equal(run_spec_encode(&s, &p, &n), 0);
    for (int at = 1; rc != 0; at++) {
        assert_true(at < 50);
        allocation_fails_at = at;
        rc = run_spec_decode(p, n, &back);
        assert_true(rc == 0 || rc == -ENOMEM);
    }
    allocation_fails_at = 0;
    run_spec_done(&back);
    free(p);
    (void)state;
}

static void test_spec_file__write_and_read__private_and_replaced(void **state)
{
    char path[] = "/tmp/tailgate-spec-test.XXXXXX";
    struct run_spec s = minimal_spec();
    struct run_spec back;
    struct stat st;
    assert_non_null(mkdtemp(path));
    int dir = rundir_open(path);
    assert_true(dir >= 0);
    assert_int_equal(run_spec_read(dir, &back), -ENOENT);
    assert_int_equal(run_spec_write(dir, &s), 0);
    s = full_spec();
    assert_int_equal(run_spec_write(dir, &s), 0);
    assert_int_equal(run_spec_read(dir, &back), 0);
    assert_specs_equal(&s, &back);
    run_spec_done(&back);
    assert_int_equal(fstatat(dir, RUNDIR_SPEC, &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    s.command = NULL;
    assert_int_equal(run_spec_write(dir, &s), -EINVAL);
    allocation_fails_at = 1;
    assert_int_equal(run_spec_read(dir, &back), -ENOMEM);
    allocation_fails_at = 0;
    int fd = openat(dir, RUNDIR_SPEC, O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_int_equal(run_spec_read(dir, &back), -EBADMSG);
    assert_int_equal(ftruncate(fd, SPEC_BYTES_MAX + 1), 0);
    assert_int_equal(run_spec_read(dir, &back), -EBADMSG);
    close(fd);
    close(dir);
    assert_int_equal(rundir_remove(path), 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spec__golden__same_back),
        cmocka_unit_test(test_spec_encode__rules__refused),
        cmocka_unit_test(test_spec_encode__too_large__refused),
        cmocka_unit_test(test_spec_decode__any_bit_flipped__refused),
        cmocka_unit_test(test_spec_decode__fields__rules_hold),
        cmocka_unit_test(test_spec_decode__length_past_the_end__refused),
        cmocka_unit_test(test_spec__each_allocation_fails__nothing_leaks),
        cmocka_unit_test(test_spec_file__write_and_read__private_and_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
