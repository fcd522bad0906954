#include "server_rig.h"

#include "gateway/executions_list.h"

static size_t count_rows(const struct answer *a)
{
    static const char name[] = "\"execution_id\"";
    size_t n = 0;
    const char *at = a->body.data, *end = at + a->body.len;
    assert_int_equal(at[0], '[');
    assert_int_equal(end[-1], ']');
    /* Not strstr(): asan's measures the whole rest, megabytes, each time. */
    while ((at = memmem(at, (size_t)(end - at), name, sizeof(name) - 1)) != NULL) {
        n++;
        at++;
    }
    return n;
}

static void test_executions_list_parse_status__table(void **state)
{
    static const struct {
        const char *text;
        int err;
        unsigned mask;
    } rows[] = {
        {"", 0, 0},
        {"RUNNING", 0, 1u << EXEC_RUNNING},
        {"RUNNING,FAILED", 0, 1u << EXEC_RUNNING | 1u << EXEC_FAILED},
        {"STARTING,", 0, 1u << EXEC_STARTING | 1u << EXEC_PENDING},
        {",,STOPPED", 0, 1u << EXEC_STOPPED},
        {"NOPE", ERR_INVALID, 0},
        {"RUNNINGANDMUCHMORETHANTHAT", ERR_INVALID, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct problem p = {0};
        unsigned mask = 0;
        assert_int_equal(executions_list_parse_status(rows[i].text, &mask, &p), rows[i].err);
        assert_int_equal(mask, rows[i].mask);
        assert_int_equal(p.err, rows[i].err);
    }
}

static void test_list__query__becomes_the_filter(void **state)
{
    (void)state;
    rig_expect("GET /api/v1/executions?limit=5&status=RUNNING%2CFAILED&created_by=a%40b&"
               "since=2026-01-02T03:04:05Z&until=2026-01-03T03:04:05Z&cursor=77",
               "", NULL, 200, "[]");
    assert_int_equal(rig.world.filter.status_mask, 1u << EXEC_RUNNING | 1u << EXEC_FAILED);
    assert_string_equal(rig.world.filter_created_by, "a@b");
    assert_true(rig.world.filter.since_us > 0);
    assert_int_equal(rig.world.filter.until_us - rig.world.filter.since_us, 86400000000);
    assert_int_equal(rig.world.filter.before_key, 77);
    assert_int_equal(rig.world.filter.limit, 6); /* one more tells whether there is a next page */
}

static void test_list__bad_query__400_naming_it(void **state)
{
    static const struct {
        const char *line, *text;
    } rows[] = {
        {"GET /api/v1/executions?limit=-1", "invalid limit parameter"},
        {"GET /api/v1/executions?limit=x", "invalid limit parameter"},
        {"GET /api/v1/executions?status=X", "invalid status parameter"},
        {"GET /api/v1/executions?since=yesterday", "invalid since parameter"},
        {"GET /api/v1/executions?until=1", "invalid until parameter"},
        {"GET /api/v1/executions?cursor=zz", "invalid cursor parameter"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        rig_expect(rows[i].line, "", NULL, 400, rows[i].text);
        rig_expect(rows[i].line, "", NULL, 400, "\"code\":\"INVALID_REQUEST\"");
    }
    assert_int_equal(rig.world.lists, 0);
}

static void test_list__sizes__rows_and_link(void **state)
{
    static const struct {
        size_t rows;
        const char *line;
        size_t count;
        bool link;
    } rows[] = {
        {0, "GET /api/v1/executions", 0, false},
        {10, "GET /api/v1/executions", 10, false},
        {11, "GET /api/v1/executions", 10, true},
        {3, "GET /api/v1/executions?limit=2&status=RUNNING&created_by=a+b%40c", 2, true},
        {250, "GET /api/v1/executions?limit=250", 250, false},
        {251, "GET /api/v1/executions?limit=250", 250, true},
        {250, "GET /api/v1/executions?limit=1000", 250, false},
        {250, "GET /api/v1/executions?limit=0", 250, false},
        {0, "GET /api/v1/executions?limit=0", 0, false},
        {200, "GET /api/v1/executions?limit=0", 200, false},
        {250, "GET /api/v1/executions?limit=2000", 250, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a;
        rig.world.rows = rows[i].rows;
        rig_request(rows[i].line, "", NULL, &a);
        assert_int_equal(a.status, 200);
        assert_false(a.eof);
        assert_int_equal(count_rows(&a), rows[i].count);
        assert_int_equal(answer_header(&a, "Link") != NULL, rows[i].link);
        answer_done(&a);
    }
}

static void test_list__link__leads_through_all(void **state)
{
    struct answer a;
    char line[512] = "GET /api/v1/executions?limit=3&status=RUNNING%2CFAILED";
    size_t seen = 0, pages = 0;
    (void)state;
    rig.world.rows = 7;
    for (;;) {
        rig_request(line, "", NULL, &a);
        seen += count_rows(&a);
        pages++;
        const char *link = answer_header(&a, "Link");
        if (link) {
            assert_non_null(strstr(link, "status=RUNNING%2CFAILED&"));
            assert_true(str_ends_with(link, ">; rel=\"next\""));
            (void)snprintf(line, sizeof(line), "GET %.*s", (int)strcspn(link + 1, ">"), link + 1);
        }
        answer_done(&a);
        if (!link)
            break;
    }
    assert_int_equal(seen, 7);
    assert_int_equal(pages, 3);
}

static void test_list__problem__whole_answered_streamed_cut(void **state)
{
    struct answer a;
    (void)state;
    rig.world.rows = 250;
    rig.world.fail_list_after = 1;
    rig_request("GET /api/v1/executions?limit=0", "", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_true(a.eof); /* incomplete, and the client can tell */
    answer_done(&a);
    rig.world.lists = 0;
    rig_expect("GET /api/v1/executions?limit=200", "", NULL, 503, "DATABASE_ERROR");
    rig.world.fail_list_after = 0;
    rig.world.refuses = true;
    (void)problem_set(&rig.world.problem, ERR_CLOSED, "failed", "leaving");
    rig_expect("GET /api/v1/executions", "", NULL, 503, "SERVICE_UNAVAILABLE");
    rig_request("GET /api/v1/executions?limit=0", "", NULL, &a);
    assert_true(a.eof);
    answer_done(&a);
}

static void test_list__huge_commands__whole_list_stops_early_with_a_link(void **state)
{
    struct answer a;
    char *command = calloc(1, 120000);
    (void)state;
    memset(command, 'x', 119999);
    rig.world.row.command = command;
    rig.world.rows = 100;
    rig_request("GET /api/v1/executions?limit=100", "", NULL, &a);
    assert_int_equal(a.status, 200);
    assert_in_range(count_rows(&a), 30, 40);
    assert_non_null(answer_header(&a, "Link"));
    answer_done(&a);
    rig_request("GET /api/v1/executions?limit=0", "", NULL, &a);
    assert_int_equal(count_rows(&a), 100);
    answer_done(&a);
    free(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_executions_list_parse_status__table, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_list__query__becomes_the_filter, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_list__bad_query__400_naming_it, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_list__sizes__rows_and_link, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_list__link__leads_through_all, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_list__problem__whole_answered_streamed_cut, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(
            test_list__huge_commands__whole_list_stops_early_with_a_link, rig_setup, rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
