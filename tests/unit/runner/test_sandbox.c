/* What is asked of kernels of every Landlock ABI: the calls are recorded, not made. */
#include "runner/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

long __wrap_syscall(long number, ...);
int __wrap_prctl(int option, ...);

static int abi;          /* of the pretended kernel; 0: no Landlock */
static int failing;      /* 1 create, 2 rule, 3 restrict, 4 prctl */
static uint64_t attr[3]; /* of the ruleset, as far as the kernel was told */
static size_t attr_size;
static unsigned rules, restricted, no_new_privs;
static uint64_t rule_union;

static long create_ruleset(const void *p, size_t size, unsigned flags)
{
    if (flags == 1) {
        errno = ENOSYS;
        return abi > 0 ? abi : -1;
    }
    errno = EINVAL;
    if (failing == 1)
        return -1;
    memset(attr, 0, sizeof(attr));
    memcpy(attr, p, size);
    attr_size = size;
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

long __wrap_syscall(long number, ...)
{
    va_list ap;
    va_start(ap, number);
    long a = va_arg(ap, long);
    long b = va_arg(ap, long);
    long c = va_arg(ap, long);
    va_end(ap);
    if (number == 444)
        return create_ruleset((const void *)a, (size_t)b, (unsigned)c); // NOLINT
    errno = EPERM;
    if (number == 445) {
        uint64_t access = 0;
        memcpy(&access, (const void *)c, sizeof(access)); // NOLINT
        rule_union |= access;
        rules++;
        return failing == 2 ? -1 : 0;
    }
    assert_int_equal(number, 446);
    restricted++;
    return failing == 3 ? -1 : 0;
}

int __wrap_prctl(int option, ...)
{
    assert_int_equal(option, PR_SET_NO_NEW_PRIVS);
    no_new_privs++;
    errno = EINVAL;
    return failing == 4 ? -1 : 0;
}

static char workspace[] = "/tmp";

static int enter(enum spec_sandbox sandbox, bool set_ids, int kernel_abi, int seam)
{
    struct run_spec s = {.workspace = workspace, .sandbox = sandbox, .set_ids = set_ids};
    abi = kernel_abi;
    failing = seam;
    attr_size = 0;
    rules = restricted = no_new_privs = 0;
    rule_union = 0;
    return sandbox_enter(&s);
}

static void test_sandbox__none__privileges_only_with_ids(void **state)
{
    assert_int_equal(enter(SPEC_SANDBOX_NONE, false, 7, 0), 0);
    assert_int_equal(no_new_privs + restricted, 0);
    assert_int_equal(enter(SPEC_SANDBOX_NONE, true, 7, 0), 0);
    assert_int_equal(no_new_privs, 1);
    assert_int_equal(restricted, 0);
    (void)state;
}

static void test_sandbox__kernel_without_landlock__no_new_privs_stays(void **state)
{
    for (int s = SPEC_SANDBOX_SCOPE; s <= SPEC_SANDBOX_FILES; s++) {
        assert_int_equal(enter((enum spec_sandbox)s, false, 0, 0), 0);
        assert_int_equal(no_new_privs, 1);
        assert_int_equal(restricted, 0);
    }
    assert_int_equal(sandbox_abi(), 0);
    (void)state;
}

static void test_sandbox__each_abi__asked_for_what_it_knows(void **state)
{
    static const struct {
        int abi;
        uint64_t files;
        size_t size;
        uint64_t scoped;
    } rows[] = {
        {1, 0x1fff, 8, 0},  {2, 0x3fff, 8, 0},  {3, 0x7fff, 8, 0},  {4, 0x7fff, 16, 0},
        {5, 0xffff, 16, 0}, {6, 0xffff, 24, 3}, {7, 0xffff, 24, 3}, {99, 0xffff, 24, 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(enter(SPEC_SANDBOX_FILES, false, rows[i].abi, 0), 0);
        assert_int_equal(attr[0], rows[i].files);
        assert_int_equal(attr_size, rows[i].size);
        assert_int_equal(attr[2], rows[i].scoped);
        assert_int_equal(restricted, 1);
        assert_true(rules > 5);
        assert_int_equal(rule_union & ~rows[i].files, 0); /* else EINVAL */
        /* A domain without file rules: before scopes, one harmless right, allowed everywhere. */
        assert_int_equal(enter(SPEC_SANDBOX_SCOPE, false, rows[i].abi, 0), 0);
        assert_int_equal(attr[0], rows[i].abi >= 6 ? 0 : 1u << 11);
        assert_int_equal(rules, rows[i].abi >= 6 ? 0 : 1);
        assert_int_equal(restricted, 1);
    }
    (void)state;
}

static void test_sandbox__each_failure__nothing_runs_unconfined(void **state)
{
    static const int want[] = {0, -EINVAL, -EPERM, -EPERM, -EINVAL};
    for (int seam = 1; seam <= 4; seam++)
        assert_int_equal(enter(SPEC_SANDBOX_FILES, false, 7, seam), want[seam]);
    assert_int_equal(enter(SPEC_SANDBOX_SCOPE, false, 1, 2), -EPERM);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox__none__privileges_only_with_ids),
        cmocka_unit_test(test_sandbox__kernel_without_landlock__no_new_privs_stays),
        cmocka_unit_test(test_sandbox__each_abi__asked_for_what_it_knows),
        cmocka_unit_test(test_sandbox__each_failure__nothing_runs_unconfined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
