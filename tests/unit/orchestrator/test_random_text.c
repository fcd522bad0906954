#include "orchestrator/random_text.h"

#include "base/compiler.h"

#include "../base/unit.h"

#include <string.h>

static void test_random_text_make__twice__well_formed_and_different(void **state UNUSED)
{
    static const size_t sizes[] = {1, 24, 31, 32};
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        char one[RANDOM_TEXT_LEN(RANDOM_TEXT_BYTES_MAX) + 1], two[sizeof one];
        random_text_make(sizes[i], one);
        random_text_make(sizes[i], two);
        assert_int_equal(strlen(one), RANDOM_TEXT_LEN(sizes[i]));
        assert_true(random_text_is_well_formed(one, sizes[i]));
        if (sizes[i] > 1)
            assert_string_not_equal(one, two);
    }
    assert_int_equal(RANDOM_TEXT_LEN(24), 32);
    assert_int_equal(RANDOM_TEXT_LEN(32), 43);
}

static void test_random_text_is_well_formed__strange__refused(void **state UNUSED)
{
    static const char *const rows[] = {"", "AAA", "AAAAA", "AA+A", "AA=A", "AA A"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_false(random_text_is_well_formed(rows[i], 3));
    assert_true(random_text_is_well_formed("AA-_", 3));
    assert_false(random_text_is_well_formed("A_", 1)); /* bits behind the last byte */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_text_make__twice__well_formed_and_different),
        cmocka_unit_test(test_random_text_is_well_formed__strange__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
