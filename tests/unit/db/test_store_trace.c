/* Log records and traces in a real database. */
#include "base/compiler.h"
#include "base/err.h"
#include "db/store_trace.h"
#include "tests/unit/db/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct got {
    int calls, err;
    size_t n;
    char first[300], executions[2000], secrets[2000], users[1000], images[2000];
};

static void keep(char *at, size_t size, const char *text)
{
    (void)snprintf(at, size, "%s", text ? text : "");
}

static void on_trace(void *user, int err, const struct trace *t)
{
    struct got *g = user;
    g->calls++;
    g->err = err;
    assert_int_equal(t != NULL, err == 0);
    if (!t)
        return;
    g->n = t->count;
    if (t->count > 0)
        (void)snprintf(g->first, sizeof(g->first), "%.*s", (int)t->records[0].len,
                       t->records[0].text);
    keep(g->executions, sizeof(g->executions), t->executions);
    keep(g->secrets, sizeof(g->secrets), t->secrets);
    keep(g->users, sizeof(g->users), t->users);
    keep(g->images, sizeof(g->images), t->images);
}

static struct got get(struct fixture *f, const char *id)
{
    struct got g = {0};
    assert_int_equal(store_trace_get(f->pool, id, on_trace, &g), 0);
    await_count(f->loop, &g.calls, 1);
    return g;
}

static struct answer write_records(struct fixture *f, const char *records, int64_t retention_ms)
{
    struct answer a = {0};
    assert_int_equal(
        store_trace_write(f->pool, records, strlen(records), retention_ms, on_answer, &a), 0);
    await_count(f->loop, &a.calls, 1);
    return a;
}

#define RECORD(id, more) \
    "{\"time\":\"2026-01-02T03:04:05.678Z\",\"msg\":\"x\",\"request_id\":\"" id "\"" more "}"

#define MINE ",\"client_request_id\":\"mine\""
/* clang-format off: a row a record */
#define FOUR                                                                                    \
    "[" RECORD("t1", ",\"n\":1") "," RECORD("t1", MINE) "," RECORD("t2", MINE) "," RECORD("t3", \
                                                                                          "") "]"
/* clang-format on */

static void test_store_trace_get__own_and_clients_id__records_in_order(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write_records(f, FOUR, 0).err, 0);
    struct got g = get(f, "t1");
    assert_int_equal(g.err, 0);
    assert_int_equal(g.n, 2);
    assert_string_equal(g.first, RECORD("t1", ",\"n\":1"));
    assert_int_equal(get(f, "mine").n, 3);
    assert_int_equal(get(f, "t3").n, 1);
    assert_int_equal(get(f, "").n, 0);
    g = get(f, "nothing");
    assert_int_equal(g.n, 0);
    assert_string_equal(g.executions, "");
    assert_string_equal(g.images, "");
}

static void test_store_trace_write__no_records_or_bad__told(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(write_records(f, "[]", 1000).err, 0);
    assert_int_equal(write_records(f, "{", 1000).err, ERR_DB);
    assert_int_equal(write_records(f, "[{\"time\":\"never\"}]", 1000).err, ERR_DB);
}

static void test_store_trace_write__old_records__bounded_sweep(void **state)
{
    struct fixture *f = *state;
    char sql[300];
    (void)snprintf(sql, sizeof(sql),
                   "TRUNCATE trace_records; INSERT INTO trace_records (at, request_id, record) "
                   "SELECT now() - interval '2 h', 'old', '{}' FROM generate_series(1, %d)",
                   STORE_TRACE_SWEPT + 10);
    sql_exec(f, sql);
    assert_int_equal(write_records(f, "[]", 0).err, 0); /* for ever */
    assert_int_equal(sql_number(f, "SELECT count(*) FROM trace_records"), STORE_TRACE_SWEPT + 10);
    assert_int_equal(write_records(f, "[]", 3600000).affected[1], STORE_TRACE_SWEPT);
    assert_int_equal(write_records(f, "[]", 3600000).affected[1], 10);
}

static void test_store_trace_get__resources__what_the_request_touched(void **state)
{
    struct fixture *f = *state;
    sql_exec(
        f, "INSERT INTO executions (execution_key, execution_id, status, command, image_id, "
           "created_by, created_at, owner, created_by_request_id) VALUES (1, repeat('0', 32), "
           "'PENDING', 'ls', 'host', 'a@x', '2026-01-02T03:04:05Z', 'g', 'q1'), (2, repeat('1', "
           "32), 'RUNNING', 'ls', 'host', 'a@x', now(), 'g', 'other');"
           "INSERT INTO execution_events (execution_key, version, to_status, cause, request_id) "
           "VALUES (2, 2, 'TERMINATING', 'kill', 'q1');"
           "INSERT INTO users (email, role, created_by_request_id) VALUES ('u@x', 'viewer', 'q1');"
           "INSERT INTO images (image_id, image, registry, name, created_by, "
           "modified_by_request_id) VALUES ('i', 'i', 'docker.io', 'i', 'a@x', 'q1');"
           "INSERT INTO secrets (name, key_name, key_id, sealed, created_by, updated_by, "
           "modified_by_request_id) VALUES ('s', 'S', 'k', 'sealed-bytes', 'a@x', 'a@x', 'q1')");
    struct got g = get(f, "q1");
    assert_int_equal(g.err, 0);
    assert_non_null(strstr(g.executions, "00000000000000000000000000000000"));
    assert_non_null(strstr(g.executions, "11111111111111111111111111111111"));
    assert_non_null(strstr(g.executions, "\"STARTING\"")); /* as Runvoy's routes tell PENDING */
    assert_non_null(strstr(g.executions, "2026-01-02T03:04:05.000Z"));
    assert_non_null(strstr(g.users, "\"u@x\""));
    assert_non_null(strstr(g.images, "\"docker.io\""));
    assert_non_null(strstr(g.secrets, "\"S\""));
    assert_null(strstr(g.secrets, "sealed"));
    g = get(f, "other");
    assert_non_null(strstr(g.executions, "11111111111111111111111111111111"));
    assert_string_equal(g.users, "");
}

int main(void)
{
#define ROW(t) cmocka_unit_test_setup_teardown(t, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        ROW(test_store_trace_get__own_and_clients_id__records_in_order),
        ROW(test_store_trace_write__no_records_or_bad__told),
        ROW(test_store_trace_write__old_records__bounded_sweep),
        ROW(test_store_trace_get__resources__what_the_request_touched),
    };
    return cmocka_run_group_tests(tests, fixture_group_setup, fixture_group_teardown);
}
