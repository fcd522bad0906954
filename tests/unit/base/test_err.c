/* The error codes' names, their API answers and the problem value. */
#include "base/err.h"
#include "unit.h"

#include <string.h>

static const struct {
    int err;
    const char *name, *api_code;
    int http_status;
} rows[] = {
    {0, "OK", "INTERNAL_ERROR", 500},
    {ERR_AGAIN, "AGAIN", "INTERNAL_ERROR", 500},
    {ERR_END, "END", "INTERNAL_ERROR", 500},
    {ERR_NOMEM, "NOMEM", "INTERNAL_ERROR", 500},
    {ERR_SYS, "SYS", "INTERNAL_ERROR", 500},
    {ERR_INVALID, "INVALID", "INVALID_REQUEST", 400},
    {ERR_NOT_FOUND, "NOT_FOUND", "NOT_FOUND", 404},
    {ERR_CONFLICT, "CONFLICT", "CONFLICT", 409},
    {ERR_TOO_LARGE, "TOO_LARGE", "PAYLOAD_TOO_LARGE", 413},
    {ERR_LIMIT, "LIMIT", "LIMIT_EXCEEDED", 429},
    {ERR_UNAUTHORIZED, "UNAUTHORIZED", "UNAUTHORIZED", 401},
    {ERR_BAD_KEY, "BAD_KEY", "INVALID_API_KEY", 401},
    {ERR_REVOKED, "REVOKED", "API_KEY_REVOKED", 401},
    {ERR_FORBIDDEN, "FORBIDDEN", "FORBIDDEN", 403},
    {ERR_TIMEOUT, "TIMEOUT", "REQUEST_TIMEOUT", 408},
    {ERR_DB_AWAY, "DB_AWAY", "DATABASE_ERROR", 503},
    {ERR_DB, "DB", "DATABASE_ERROR", 503},
    {ERR_CORRUPT, "CORRUPT", "INTERNAL_ERROR", 500},
    {ERR_STALE, "STALE", "INTERNAL_ERROR", 500},
    {ERR_GAP, "GAP", "INTERNAL_ERROR", 500},
    {ERR_CLOSED, "CLOSED", "SERVICE_UNAVAILABLE", 503},
    {ERR_INTERNAL, "INTERNAL", "INTERNAL_ERROR", 500},
    {-22, "UNKNOWN", "INTERNAL_ERROR", 500},
    {-1000000, "UNKNOWN", "INTERNAL_ERROR", 500},
    {1, "UNKNOWN", "INTERNAL_ERROR", 500},
};

static void test_err_name__each_code__as_in_the_header(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_string_equal(err_name(rows[i].err), rows[i].name);
        assert_string_equal(err_api_code(rows[i].err), rows[i].api_code);
        assert_int_equal(err_http_status(rows[i].err), rows[i].http_status);
    }
}

static void test_problem_set__texts__filled_and_code_reset(void **state UNUSED)
{
    struct problem p = {.code = "OLD"};

    assert_int_equal(problem_set(&p, ERR_CONFLICT, "it failed", "%s has %d", "this", 3),
                     ERR_CONFLICT);
    assert_int_equal(p.err, ERR_CONFLICT);
    assert_string_equal(p.error, "it failed");
    assert_string_equal(p.code, "");
    assert_string_equal(p.details, "this has 3");
}

static void test_problem_set__long_texts__cut_at_their_sizes(void **state UNUSED)
{
    char text[2000];
    struct problem p;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(problem_set(&p, ERR_INVALID, text, "%s", text), ERR_INVALID);
    assert_int_equal(strlen(p.error), sizeof(p.error) - 1);
    assert_int_equal(strlen(p.details), sizeof(p.details) - 1);
}

static void test_problem_retitle__after_set__only_the_error_changes(void **state UNUSED)
{
    struct problem p;

    assert_int_equal(problem_set(&p, ERR_INVALID, "old", "why"), ERR_INVALID);
    problem_retitle(&p, "new");
    assert_string_equal(p.error, "new");
    assert_string_equal(p.details, "why");
    assert_int_equal(p.err, ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_name__each_code__as_in_the_header),
        cmocka_unit_test(test_problem_set__texts__filled_and_code_reset),
        cmocka_unit_test(test_problem_set__long_texts__cut_at_their_sizes),
        cmocka_unit_test(test_problem_retitle__after_set__only_the_error_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
