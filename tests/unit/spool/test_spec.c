/* The spec file: golden bytes, the rules it keeps, damage, allocation failures. */
#include "spool/spec.h"

#include "spool/rundir.h"

#include "golden.h"

#include <sys/stat.h>

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))

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

int __real_unlinkat(int dirfd, const char *name, int flags);
int __wrap_unlinkat(int dirfd, const char *name, int flags);

static bool unlink_fails; /* as for a file that is mounted by itself */

int __wrap_unlinkat(int dirfd, const char *name, int flags)
{
    if (unlink_fails) {
        errno = EBUSY;
        return -1;
    }
    return __real_unlinkat(dirfd, name, flags);
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

/* With a stage before the command. */
static struct run_spec setup_spec(void)
{
    struct run_spec s = full_spec();
    s.setup = "git clone";
    s.setup_env = env;
    s.directory = "repo/src";
    return s;
}

/* Of a container: the image's user. */
static struct run_spec container_spec(void)
{
    struct run_spec s = minimal_spec();
    s.sandbox = SPEC_SANDBOX_CONTAINER;
    s.user = "node:staff";
    return s;
}

/* The command is ended when its output finds no room, and kept out of a tree. */
static struct run_spec fail_spec(void)
{
    struct run_spec s = minimal_spec();
    s.spool_full = SPEC_SPOOL_FULL_FAIL;
    s.hidden = "/var/lib/tailgate";
    return s;
}

static void assert_same_text(const char *a, const char *b)
{
    assert_true((a == NULL) == (b == NULL));
    if (a != NULL)
        assert_string_equal(a, b);
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
    assert_int_equal(a->spool_full, b->spool_full);
    assert_same_text(a->setup, b->setup);
    assert_lists_equal(a->setup_env, b->setup_env);
    assert_same_text(a->directory, b->directory);
    assert_same_text(a->user, b->user);
    assert_same_text(a->hidden, b->hidden);
}

static void test_spec__golden__same_back(void **state)
{
    const struct {
        const char *file;
        struct run_spec spec;
    } rows[] = {{"spool_spec/minimal/spec", minimal_spec()},
                {"spool_spec/full/spec", full_spec()},
                {"spool_spec/setup/spec", setup_spec()},
                {"spool_spec/fail/spec", fail_spec()},
                {"spool_spec/container/spec", container_spec()}};
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
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
    static char *const directories[] = {"/abs", "..", "a/../b", "", "a//b", "a/", "."};
    struct run_spec rows[13 + ARRAY_COUNT(directories) + 1];
    const size_t count = ARRAY_COUNT(rows);
    for (size_t i = 0; i < count; i++)
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
    for (size_t i = 0; i < ARRAY_COUNT(directories); i++)
        rows[13 + i].directory = directories[i];
    rows[count - 1].setup_env = no_equals;
    for (size_t i = 0; i < count; i++) {
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
    assert_int_equal(run_spec_drop(dir), 0);
    assert_int_equal(run_spec_read(dir, &back), -ENOENT);
    assert_int_equal(run_spec_drop(dir), 0);
    close(dir);
    assert_int_equal(rundir_remove(path), 0);
    (void)state;
}

static void test_spec_drop__name_stays__emptied(void **state)
{
    char path[] = "/tmp/tailgate-spec-test.XXXXXX";
    struct run_spec s = minimal_spec();
    struct stat st;
    assert_non_null(mkdtemp(path));
    int dir = rundir_open(path);
    assert_int_equal(run_spec_write(dir, &s), 0);
    unlink_fails = true;
    assert_int_equal(run_spec_drop(dir), 0);
    unlink_fails = false;
    assert_int_equal(fstatat(dir, RUNDIR_SPEC, &st, 0), 0);
    assert_int_equal(st.st_size, 0);
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
        cmocka_unit_test(test_spec__each_allocation_fails__nothing_leaks),
        cmocka_unit_test(test_spec_file__write_and_read__private_and_replaced),
        cmocka_unit_test(test_spec_drop__name_stays__emptied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
