#include "server_rig.h"

/* Each row: what a scrape says of the figures that the fakes give. */
static const char *const SAMPLES[] = {
    "\ntailgate_connections 1\n",
    "\ntailgate_streams 2\n",
    "\ntailgate_streams_opened_total 5\n",
    "\ntailgate_sent_lines_total 2000\n",
    "\ntailgate_commit_to_send_seconds_count 0\n",
    "\n# TYPE tailgate_loop_turn_seconds histogram\n",
    "\ntailgate_loop_turn_longest_seconds ",
    "\ntailgate_subscriptions 9\n",
    "\ntailgate_topics 2\n",
    "\ntailgate_ring_bytes 12345\n",
    "\ntailgate_replay_pages_total 6\n",
    "\ntailgate_readers_behind 2\n",
    "\ntailgate_readers_behind_lines 50\n",
    "\ntailgate_readers_behind_lines_max 49\n",
    "\ntailgate_committed_lines_total 1000\n",
    "\ntailgate_committed_bytes_total 6893\n",
    "\ntailgate_commits_total 11\n",
    "\ntailgate_commit_seconds_count 1\n",
    "\ntailgate_dropped_lines_total 0\n",
    "\ntailgate_spool_uncommitted_bytes 4096\n",
    "\ntailgate_executions{status=\"RUNNING\"} 3\n",
    "\ntailgate_executions{status=\"TERMINATING\"} 1\n",
    "\ntailgate_database_connections_ready{pool=\"writer\"} 1\n",
    "\ntailgate_database_waiting{pool=\"api\"} 7\n",
    "\ntailgate_database_wait_seconds_bucket{pool=\"api\",le=\"0.00005\"} 3\n",
    "\ntailgate_database_wait_seconds_sum{pool=\"api\"} 0.000170\n",
    "\ntailgate_database_wait_seconds_count{pool=\"writer\"} 0\n",
    "\n# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total ",
    "\n# TYPE process_open_fds gauge\nprocess_open_fds ",
};

static void test_metrics__scraped__every_figure_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(SAMPLES); i++)
        rig_expect("GET /metrics", "!", NULL, 200, SAMPLES[i]);
    assert_int_equal(rig.world.authentications, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_metrics__scraped__every_figure_is_there, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
