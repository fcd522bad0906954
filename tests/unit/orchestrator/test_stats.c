/* The orchestrator's figures, from fakes of what it works with. */
#include "orchestrator/live.h"

#include "../base/unit.h"

static int api_pool, writers_pool; /* only their addresses count */

void db_pool_stats(const struct db_pool *p, struct db_pool_stats *ret)
{
    *ret = (const void *)p == &api_pool
               ? (struct db_pool_stats){.connections = 4, .ready = 3, .waiting = 2}
               : (struct db_pool_stats){.connections = 1, .ready = 0, .waiting = 7};
}

const struct db_pool *writer_pool(const struct writer *w UNUSED)
{
    return (const void *)&writers_pool;
}

uint64_t writer_spool_bytes(const struct writer *w UNUSED)
{
    return 4096;
}

void writer_stats(const struct writer *w UNUSED, struct writer_stats *ret)
{
    *ret = (struct writer_stats){.lines = 11};
}

static void test_orchestrator_stats__lives_and_pools__each_counted(void **state UNUSED)
{
    struct orchestrator o = {.pool = (void *)&api_pool};
    struct live lives[] = {{.row.state.status = EXEC_RUNNING},
                           {.row.state.status = EXEC_STARTING},
                           {.row.state.status = EXEC_RUNNING},
                           {.row.state.status = EXEC_RUNNING, .is_forgotten = true}};
    struct orchestrator_stats s;

    list_init(&o.lives);
    for (size_t i = 0; i < ARRAY_SIZE(lives); i++)
        list_append(&o.lives, &lives[i].node);
    orchestrator_stats(&o, &s);
    assert_int_equal(s.live[EXEC_RUNNING], 2);
    assert_int_equal(s.live[EXEC_STARTING], 1);
    assert_int_equal(s.live[EXEC_PENDING] + s.live[EXEC_TERMINATING] + s.live[EXEC_SUCCEEDED], 0);
    assert_int_equal(s.api.connections, 4);
    assert_int_equal(s.api.ready, 3);
    assert_int_equal(s.api.waiting, 2);
    assert_int_equal(s.writer.connections, 1);
    assert_int_equal(s.writer.ready, 0);
    assert_int_equal(s.writer.waiting, 7);
    assert_int_equal(s.spool_bytes, 4096);
    assert_int_equal(s.log.lines, 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orchestrator_stats__lives_and_pools__each_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
