/* Which requests are the same. */
#include "orchestrator/idempotency.h"

#include "../base/unit.h"

#include <string.h>

static const struct env_var ab[] = {{"A", "1"}, {"B", "2"}}, ba[] = {{"B", "2"}, {"A", "1"}},
                            other[] = {{"A", "1"}, {"B", "3"}}, joined[] = {{"A1", "B2"}};
static const char *const one[] = {"one"}, *const two[] = {"one", "two"};

static struct run_request base(void)
{
    return (struct run_request){
        .command = "make", .env = ab, .env_count = 2, .timeout_s = 5, .grace_s = -1};
}

static bool same(const struct run_request *a, const struct run_request *b)
{
    uint8_t x[IDEMPOTENCY_HASH_LEN], y[IDEMPOTENCY_HASH_LEN];
    assert_int_equal(idempotency_hash(a, x), 0);
    assert_int_equal(idempotency_hash(b, y), 0);
    return memcmp(x, y, sizeof x) == 0;
}

static void test_hash__same_words_other_order__same(void **state)
{
    struct run_request a = base(), b = base();
    b.env = ba;
    b.image = "";
    b.git_repo = "";
    b.idempotency_key = "not part of it";
    assert_true(same(&a, &b));
    (void)state;
}

static void test_hash__any_difference__differs(void **state)
{
    struct run_request a = base(), rows[12];
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        rows[i] = base();
    rows[0].command = "make all";
    rows[1].image = "host";
    rows[2].env = other;
    rows[3].env = joined;
    rows[3].env_count = 1;
    rows[4].timeout_s = 6;
    rows[5].grace_s = 5;
    rows[6].tty = true;
    rows[7].secrets = one;
    rows[7].secrets_count = 1;
    rows[8].secrets = two;
    rows[8].secrets_count = 2;
    rows[9].git_repo = "https://h/r";
    rows[10].git_ref = "https://h/r";
    rows[11].git_path = "https://h/r";
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_false(same(&a, &rows[i]));
        for (size_t k = 0; k < i; k++)
            assert_false(same(&rows[k], &rows[i]));
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash__same_words_other_order__same),
        cmocka_unit_test(test_hash__any_difference__differs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
