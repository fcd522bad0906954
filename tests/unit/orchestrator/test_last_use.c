#include "orchestrator/last_use.h"

#include "fake_people.h"

static struct last_use last_use;

static void note(int64_t key_id)
{
    last_use_note(&last_use, NULL, key_id);
}

static void test_last_use__same_minute__written_once(void **state UNUSED)
{
    note(7);
    note(7);
    assert_int_equal(fake_people.uses, 1);
    assert_int_equal(fake_people.used, 7);
    fake_pass(59999);
    note(7);
    assert_int_equal(fake_people.uses, 1);
    fake_pass(1);
    note(7);
    assert_int_equal(fake_people.uses, 2);
}

static void test_last_use__keys_that_share_a_slot__both_written(void **state UNUSED)
{
    note(7);
    note(7 + LAST_USE_SLOTS);
    note(7);
    assert_int_equal(fake_people.uses, 3);
}

static void test_last_use__no_key__nothing(void **state UNUSED)
{
    note(0);
    assert_int_equal(fake_people.uses, 0);
}

static void test_last_use__store_refuses__tried_with_the_next_use(void **state UNUSED)
{
    fake_people.ret = ERR_LIMIT;
    note(9);
    fake_people.ret = 0;
    note(9);
    assert_int_equal(fake_people.uses, 1);
}

static int setup(void **state)
{
    last_use = (struct last_use){0};
    return fake_people_setup(state);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_last_use__same_minute__written_once),
        TEST(test_last_use__keys_that_share_a_slot__both_written),
        TEST(test_last_use__no_key__nothing),
        TEST(test_last_use__store_refuses__tried_with_the_next_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
