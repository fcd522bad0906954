#include "server_rig.h"

static void test_respond__headers__that_every_answer_has(void **state)
{
    struct answer a;
    (void)state;
    rig_request("GET /livez", "!", NULL, &a);
    const char *date = answer_header(&a, "Date");
    int day, year, h, m, s;
    char weekday[4], month[4];
    assert_int_equal(
        sscanf(date, "%3s, %2d %3s %4d %2d:%2d:%2d GMT", weekday, &day, month, &year, &h, &m, &s),
        7);
    assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
    assert_string_equal(answer_header(&a, "Content-Type"), "application/json");
    answer_done(&a);
}

static void test_respond__204__neither_type_nor_length(void **state)
{
    struct answer a;
    (void)state;
    rig_request("DELETE /api/v1/executions/" RIG_ID, "", NULL, &a);
    assert_int_equal(a.status, 204);
    assert_null(answer_header(&a, "Content-Length"));
    assert_null(answer_header(&a, "Content-Type"));
    answer_done(&a);
}

static void test_add_header__line_break__refused(void **state)
{
    struct http_request r = {.extra_headers = {.max = 64}};
    char value[80];
    (void)state;
    assert_int_equal(http_add_header(&r, "A", "b\r\nC: d"), ERR_INVALID);
    assert_int_equal(http_add_header(&r, "A\n", "b"), ERR_INVALID);
    assert_int_equal(http_add_header(&r, "A", "b"), 0);
    memset(value, 'x', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    assert_int_equal(http_add_header(&r, "A", value), ERR_TOO_LARGE);
    assert_string_equal(r.extra_headers.data, "A: b\r\n");
    buf_done(&r.extra_headers);
}

static void test_respond__gone__does_nothing(void **state)
{
    struct http_request r = {.out = {.max = 64}};
    struct problem p;
    (void)state;
    (void)problem_set(&p, ERR_INVALID, "x", "y");
    http_respond(&r, 200, NULL, "x", 1);
    http_respond_problem(&r, &p);
    http_stream_begin(&r, 200, NULL, NULL);
    http_stream_wake(&r);
    assert_int_equal(r.out.len, 0);
}

static void test_respond__401__says_how(void **state)
{
    struct answer a;
    (void)state;
    rig_request("GET /api/v1/executions", "!", NULL, &a);
    assert_string_equal(answer_header(&a, "WWW-Authenticate"), "Bearer");
    answer_done(&a);
}

static void test_answer__gone_or_not_encoded__drops_its_reference(void **state)
{
    (void)state;
    struct http_request r = {.refs = 2, .out = {.max = 64}};
    http_answer(&r, NULL, 200, ERR_NOMEM, NULL);
    assert_int_equal(r.refs, 1);
}

/* A claim token in a path is as good as a key. */
static void test_log_access__claim_in_the_path__left_out(void **state)
{
    static const struct {
        const char *path, *shown;
    } rows[] = {
        {"/api/v1/claim/TOKEN", "path=/api/v1/claim/***"},
        {"/api/v1/claim/TOKEN/x", "path=/api/v1/claim/***"},
        {"//API/V1/Claim/TOKEN", "path=//API/V1/Claim/***"},
        {"/api/v1/claim//TOKEN", "path=/api/v1/claim/***"},
        {"/api/v1/claims", "path=/api/v1/claims"},
    };
    (void)state;
    int saved = dup(STDERR_FILENO);
    FILE *file = tmpfile();
    char text[8192] = "";
    assert_non_null(file);
    assert_true(dup2(fileno(file), STDERR_FILENO) >= 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct http_request r = {.status = 404};
        r.path = strdup(rows[i].path);
        http_log_access(&r);
        free(r.path);
    }
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(saved);
    rewind(file);
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    assert_true(n > 0);
    assert_null(strstr(text, "TOKEN"));
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_non_null(strstr(text, rows[i].shown));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_respond__headers__that_every_answer_has, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_respond__204__neither_type_nor_length, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_add_header__line_break__refused, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_respond__gone__does_nothing, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_respond__401__says_how, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_answer__gone_or_not_encoded__drops_its_reference,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_log_access__claim_in_the_path__left_out, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
