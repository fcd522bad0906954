/* The reader's fuzz target on damaged golden spools. */
#include "fuzz_replay.h"

#include "spool/format.h"

static void test_fuzz_spool__damaged_golden__survives(void **state)
{
    fuzz_replay("spool/whole/spool", SPOOL_HEADER_LEN);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_fuzz_spool__damaged_golden__survives)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
