/* Redactors of long secrets: built off the loop, forgotten, given up. */
#include "orchestrator/redactor_job.h"

#include "base/err.h"
#include "logs/redact.h"
#include "orchestrator/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

struct answer {
    unsigned calls;
    int err;
    bool has_redactor;
};

static void on_answer(void *user, int err, struct redactor *r)
{
    struct answer *a = user;
    a->calls++;
    a->err = err;
    a->has_redactor = r != NULL;
    redactor_free(r);
}

/* No two values alike: beginnings are shared. */
static void fill(struct plan *p, int values, size_t len)
{
    char *value = malloc(len + 1);
    assert_non_null(value);
    plan_init(p);
    for (int i = 0; i < values; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "S%d", i);
        for (size_t k = 0; k < len; k++)
            value[k] = (char)('a' + randombytes_uniform(26));
        value[len] = '\0';
        assert_int_equal(plan_set(p, name, value, true), 0);
    }
    free(value);
}

static void await(struct loop *l, const struct answer *a)
{
    for (int i = 0; i < 10000 && a->calls == 0; i++)
        assert_int_equal(loop_turn(l, 10), 0);
    assert_int_equal(a->calls, 1);
}

static void test_redactor_job__table(void **state)
{
    static const struct {
        int values;
        size_t len;
        int err;
    } ROWS[] = {{1, 5000, 0}, {60, 60000, ERR_LIMIT}};
    struct loop *l;
    assert_int_equal(loop_new(&l), 0);
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct answer a = {0};
        struct plan p;
        fill(&p, ROWS[i].values, ROWS[i].len);
        assert_int_equal(redactor_job_start(l, &p, on_answer, &a, NULL), 0);
        plan_done(&p); /* it has a copy */
        assert_int_equal(a.calls, 0);
        await(l, &a);
        assert_int_equal(a.err, ROWS[i].err);
        assert_int_equal(a.has_redactor, ROWS[i].err == 0);
    }
    loop_free(l);
    (void)state;
}

static void test_redactor_job__forgotten__is_not_told(void **state)
{
    struct loop *l;
    struct redactor_job *j = NULL;
    struct answer first = {0}, second = {0};
    struct plan p;
    assert_int_equal(loop_new(&l), 0);
    fill(&p, 1, 2000);
    assert_int_equal(redactor_job_start(l, &p, on_answer, &first, &j), 0);
    redactor_job_forget(j);
    redactor_job_forget(NULL);
    assert_int_equal(redactor_job_start(l, &p, on_answer, &second, NULL), 0);
    await(l, &second);
    plan_done(&p);
    loop_free(l); /* waits for what still runs */
    assert_int_equal(first.calls, 0);
    (void)state;
}

static void test_redactor_job__loop_ends__told_once(void **state)
{
    struct loop *l;
    struct answer a = {0};
    struct plan p;
    assert_int_equal(loop_new(&l), 0);
    fill(&p, 1, 20000);
    assert_int_equal(redactor_job_start(l, &p, on_answer, &a, NULL), 0);
    loop_free(l);
    plan_done(&p);
    assert_int_equal(a.calls, 1);
    assert_true(a.err == ERR_CLOSED || (a.err == 0 && a.has_redactor));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redactor_job__table),
        cmocka_unit_test(test_redactor_job__forgotten__is_not_told),
        cmocka_unit_test(test_redactor_job__loop_ends__told_once),
    };
    return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
