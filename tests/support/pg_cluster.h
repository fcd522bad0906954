/*
 * A throw-away PostgreSQL for one test binary: initdb in a private directory under /tmp, unix
 * socket only, no fsync, as user postgres when we are root; gone at the end, and also when the
 * test dies. With TAILGATE_TEST_DATABASE_URL set that server is used instead and only databases
 * with random names are created in it (and dropped at the end).
 *
 *   int main(void) { … return cmocka_run_group_tests(tests, pg_cluster_setup, pg_cluster_teardown);
 * } static void test(void **state) { const char *conninfo = pg_cluster_conninfo(*state); … }
 *
 * Add `SOURCES ${CMAKE_SOURCE_DIR}/tests/support/pg_cluster.c` to tailgate_test().
 */
#ifndef TAILGATE_TESTS_SUPPORT_PG_CLUSTER_H
#define TAILGATE_TESTS_SUPPORT_PG_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>

struct pg_cluster;

/* cmocka group set-up and tear-down; *state is the struct pg_cluster. */
int pg_cluster_setup(void **state);
int pg_cluster_teardown(void **state);

/* Without cmocka's group functions. 0 or -1 (what failed is on stderr). */
int pg_cluster_start(struct pg_cluster **ret);
void pg_cluster_stop(struct pg_cluster *c);

/* Of the database made at the start: empty until somebody migrates it. */
const char *pg_cluster_conninfo(const struct pg_cluster *c);
/* One more empty database; writes its conninfo. 0 or -1. */
int pg_cluster_create_database(struct pg_cluster *c, char *ret_conninfo, size_t size);
/* Runs SQL through psql in the database of `conninfo`. 0 or -1. */
int pg_cluster_exec(const char *conninfo, const char *sql);
/* Same, giving back the unaligned tuples-only output without its last newline. 0 or -1. */
int pg_cluster_query(const char *conninfo, const char *sql, char *ret, size_t size);

/* False with TAILGATE_TEST_DATABASE_URL: then the next two do nothing and return -1. */
bool pg_cluster_is_ours(const struct pg_cluster *c);
/* Stops the server at once (immediate: as a crash) / starts it again on the same data. */
int pg_cluster_crash(struct pg_cluster *c);
int pg_cluster_resume(struct pg_cluster *c);

#endif
