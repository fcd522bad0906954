/* The spec's fuzz target on damaged golden specs. */
#include "fuzz_replay.h"

#include "spool/spec_format.h"

static void test_fuzz_spec__damaged_golden__survives(void **state)
{
    fuzz_replay("spool_spec/full/spec", SPEC_MAGIC_LEN);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fuzz_spec__damaged_golden__survives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
