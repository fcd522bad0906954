/* What a run needs besides its row: its bytes, sealed and opened, and what of it is secret. */
#include "fake.h"

#include "logs/redact.h"
#include "orchestrator/seal.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static struct plan sample(void)
{
    struct plan p;
    plan_init(&p);
    assert_int_equal(plan_set(&p, "A", "1", false), 0);
    assert_int_equal(plan_set(&p, "DB_URL", "postgres://u:p@h/d", true), 0);
    assert_int_equal(plan_set(&p, "EMPTY", "", false), 0);
    p.git_repo = strdup("https://h/r");
    p.git_ref = strdup("v1");
    p.git_path = strdup("src");
    p.image = strdup("alpine:3");
    p.registry_auth = strdup("e30=");
    p.cpu = 256;
    p.memory = 512;
    return p;
}

static void assert_same(const struct plan *a, const struct plan *b)
{
    assert_int_equal(a->var_count, b->var_count);
    for (size_t i = 0; i < a->var_count; i++) {
        assert_string_equal(a->vars[i].text, b->vars[i].text);
        assert_int_equal(a->vars[i].is_secret, b->vars[i].is_secret);
    }
    assert_string_equal(a->git_repo, b->git_repo);
    assert_string_equal(a->git_ref, b->git_ref);
    assert_string_equal(a->git_path, b->git_path);
    assert_string_equal(a->image, b->image);
    assert_string_equal(a->registry_auth, b->registry_auth);
    assert_int_equal(a->cpu, b->cpu);
    assert_int_equal(a->memory, b->memory);
}

static void test_plan_set__same_name__last_wins(void **state)
{
    struct plan p;
    plan_init(&p);
    assert_true(plan_is_empty(&p));
    assert_int_equal(plan_set(&p, "TOKEN", "secret", true), 0);
    assert_int_equal(plan_set(&p, "TOKEN", "own", false), 0);
    assert_int_equal(plan_set(&p, "TOKENS", "other", false), 0);
    assert_int_equal(p.var_count, 2);
    assert_string_equal(plan_get(&p, "TOKEN"), "own");
    assert_null(plan_get(&p, "TOK"));
    assert_false(p.vars[0].is_secret);
    assert_false(plan_is_empty(&p));
    plan_done(&p);
    (void)state;
}

static void test_plan_codec__round_trip_and_every_prefix(void **state)
{
    struct plan p = sample(), back;
    struct buf b CLEANUP_BUF = {.max = 4096};
    assert_int_equal(plan_encode(&p, &b), 0);
    assert_int_equal(plan_decode(b.data, b.len, &back), 0);
    assert_same(&p, &back);
    plan_done(&back);
    /* A prefix that ends at a field is a plan, every other is refused. */
    size_t whole = 0;
    for (size_t n = 0; n < b.len; n++) {
        if (plan_decode(b.data, n, &back) == 0) {
            plan_done(&back);
            whole++;
        }
    }
    assert_int_equal(whole, 10);
    plan_done(&p);
    (void)state;
}

static void test_plan_decode__foreign_bytes__corrupt(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"", 0},
        {"P", 1},
        {"P2", 2},
        {"P1x\1\0\0\0y", 8},     /* unknown letter */
        {"P1v\1\0\0\0y", 8},     /* no '=' */
        {"P1v\3\0\0\0A=\0", 10}, /* NUL */
        {"P1v\377\0\0\0A=", 9},  /* longer than there is */
        {"P1c\1\0\0\0x", 8},     /* no number */
        {"P1\0\1\0\0\0x", 8},    /* letter 0 */
        {"P1v\377\377\377\377", 7},
    };
    struct plan p;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(plan_decode(rows[i].bytes, rows[i].len, &p), ERR_CORRUPT);
    (void)state;
}

static void test_plan_seal__opens_for_its_execution_only(void **state)
{
    struct world *w = *state;
    struct plan p = sample(), back;
    struct buf sealed CLEANUP_BUF = {.max = 4096};
    struct execution_id mine, other;
    char key_id[SEAL_KEY_ID_SIZE];
    execution_id_make(INT64_C(20454) << 32, 0xabc, &mine);
    execution_id_make(INT64_C(20454) << 32, 0xabd, &other);
    assert_int_equal(plan_seal(w->o, &p, 0xabc, &sealed, key_id), 0);
    assert_null(memmem(sealed.data, sealed.len, "postgres", 8));
    assert_int_equal(plan_open(w->o, &mine, key_id, sealed.data, sealed.len, &back), 0);
    assert_same(&p, &back);
    plan_done(&back);
    assert_int_equal(plan_open(w->o, &other, key_id, sealed.data, sealed.len, &back), ERR_CORRUPT);
    assert_int_equal(plan_open(w->o, &mine, "0000000000000000", sealed.data, sealed.len, &back),
                     ERR_NOT_FOUND);
    assert_int_equal(plan_open(w->o, &mine, NULL, NULL, 0, &back), 0);
    assert_true(plan_is_empty(&back));
    w->o->opts.sealer = NULL;
    assert_int_equal(plan_seal(w->o, &p, 0xabc, &sealed, key_id), ERR_INTERNAL);
    assert_int_equal(plan_open(w->o, &mine, key_id, sealed.data, sealed.len, &back), ERR_NOT_FOUND);
    plan_done(&p);
}

static void test_plan_redactor__secrets_and_names_that_say_so(void **state)
{
    struct plan p;
    struct redactor *r;
    struct buf names CLEANUP_BUF = {.max = 256};
    plan_init(&p);
    assert_int_equal(plan_set(&p, "GREETING", "hello world", false), 0);
    assert_int_equal(plan_redactor(&p, &r), 0);
    assert_null(r);
    assert_int_equal(plan_unredacted(&p, &names), 0);
    assert_int_equal(names.len, 0);
    assert_int_equal(plan_set(&p, "MY_API_KEY", "abc", false), 0);
    assert_int_equal(plan_set(&p, "PIN", "1234", true), 0);
    assert_int_equal(plan_set(&p, "NO_TOKEN", "", false), 0);
    assert_int_equal(plan_set(&p, "PASSWORD", "long enough", false), 0);
    assert_false(plan_is_large(&p));
    assert_int_equal(plan_redactor(&p, &r), 0);
    assert_non_null(r);
    redactor_free(r);
    assert_int_equal(plan_unredacted(&p, &names), 0);
    assert_string_equal(names.data, "MY_API_KEY, PIN");
    plan_done(&p);
    (void)state;
}

static void test_plan_redactor__a_name_too_long_to_judge__taken_for_secret(void **state)
{
    char name[400];
    struct plan p;
    struct redactor *r;
    memset(name, 'X', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    plan_init(&p);
    assert_int_equal(plan_set(&p, name, "some value", false), 0);
    assert_int_equal(plan_redactor(&p, &r), 0);
    assert_non_null(r);
    redactor_free(r);
    plan_done(&p);
    (void)state;
}

static void test_plan_is_large__by_what_is_secret_alone(void **state)
{
    char value[1025];
    struct plan p;
    plan_init(&p);
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    assert_int_equal(plan_set(&p, "TEXT", value, false), 0);
    assert_int_equal(plan_set(&p, "S1", value, true), 0);
    assert_false(plan_is_large(&p));
    assert_int_equal(plan_set(&p, "S2", "y", true), 0);
    assert_true(plan_is_large(&p));
    plan_done(&p);
    (void)state;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plan_set__same_name__last_wins),
        cmocka_unit_test(test_plan_codec__round_trip_and_every_prefix),
        cmocka_unit_test(test_plan_decode__foreign_bytes__corrupt),
        TEST(test_plan_seal__opens_for_its_execution_only),
        cmocka_unit_test(test_plan_redactor__secrets_and_names_that_say_so),
        cmocka_unit_test(test_plan_redactor__a_name_too_long_to_judge__taken_for_secret),
        cmocka_unit_test(test_plan_is_large__by_what_is_secret_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
