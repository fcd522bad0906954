/* A real server, a migrated database, a loop and a pool for one test; answers kept for asserting.
 */
#ifndef TAILGATE_TESTS_UNIT_DB_FIXTURE_H
#define TAILGATE_TESTS_UNIT_DB_FIXTURE_H

#include "base/loop.h"
#include "db/pool.h"
#include "tests/support/pg_cluster.h"

#include <stdbool.h>

#define FIXTURE_PATIENCE_MS 60000

struct fixture {
    struct pg_cluster *cluster;
    const char *conninfo; /* migrated */
    struct loop *loop;    /* of the running test … */
    struct db_pool *pool; /* … with two connections */
};

/* cmocka: group (cluster, migrations) and test (loop, pool). */
int fixture_group_setup(void **state);
int fixture_group_teardown(void **state);
int fixture_setup(void **state);
int fixture_teardown(void **state);

void fixture_new_pool(struct fixture *f); /* after the old one was freed */

/* Turns the loop until *count >= wanted; fails the test after the patience. */
void await_count(struct loop *l, const int *count, int wanted);
/* Turns the loop until it is true; fails the test after the patience. */
void await_true(struct loop *l, bool (*is_true)(void *), void *user);
/* Migrates a database. Gives back db_migrate's error. */
int migrate_database(const char *conninfo);

/* The answer to one batch. */
#define ANSWER_STATEMENTS 4
struct answer {
    int calls;
    int err;
    size_t rows[ANSWER_STATEMENTS];
    int64_t affected[ANSWER_STATEMENTS];
    int64_t value;  /* first statement, first row, first column */
    char text[256]; /* the same as text */
    size_t len;     /* of it */
    char sqlstate[8];
};
void on_answer(void *user, int err, const struct db_result *r);
/* Submits and waits. */
struct answer run_batch(struct fixture *f, struct db_batch *b);
struct answer run_sql(struct fixture *f, const struct db_stmt *s, const struct db_value *params,
                      size_t n);
/* One value through psql as a number. */
int64_t sql_number(const struct fixture *f, const char *sql);
void sql_exec(const struct fixture *f, const char *sql);

#endif
