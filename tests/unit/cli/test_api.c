/* The API's calls: paths, bodies, pages, and answers that break the contract. */
#include "fake_curl.h"

#include "cli/api.h"
#include "tests/unit/base/unit.h"

#include <stdio.h>
#include <string.h>

#define ID "0000500000000001aabbccddeeff0011"

static struct settings settings = {
    .endpoint = {.host = "h", .port = 80, .authority = "h", .base = "/api/v1"},
    .api_key = (char *)"k",
};

static struct rest *open_rest(const struct fake_answer *answers, size_t count)
{
    struct rest *r = NULL;
    fake_curl_reset(answers, count);
    assert_int_equal(rest_new(&settings, NULL, &r), 0);
    return r;
}

static void test_api_start__good__id_and_answer(void **state UNUSED)
{
    static const struct fake_answer answer = {
        .status = 202, .body = "{\"execution_id\": \"" ID "\",\"status\":\"STARTING\"}"};
    struct rest *r CLEANUP(rest_cleanup) = open_rest(&answer, 1);
    struct wire_run_request q = {.command = "ls", .timeout_s = -1, .grace_s = -1};
    struct execution_id id;
    struct buf json CLEANUP_BUF;
    struct problem p = {0};
    buf_init(&json, 1000);
    assert_int_equal(api_start(r, &q, &id, &json, &p), 0);
    assert_string_equal(id.hex, ID);
    assert_string_equal(json.data, "{\"execution_id\":\"" ID "\",\"status\":\"STARTING\"}");
    assert_string_equal(fake_curl.requests[0].method, "POST");
    assert_string_equal(fake_curl.requests[0].url, "http://h/api/v1/run");
    assert_string_equal(fake_curl.requests[0].body, "{\"command\":\"ls\"}");
}

static void test_api_start__unusable_answers__refused(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 202, .body = "no json"},
        {.status = 202, .body = ""},
        {.status = 202, .body = "{}"},
        {.status = 202, .body = "{\"execution_id\":7}"},
        {.status = 202, .body = "{\"execution_id\":\"../../x\"}"},
        {.status = 400, .body = "{\"error\":\"e\",\"code\":\"INVALID_REQUEST\",\"details\":\"d\"}"},
    };
    struct rest *r CLEANUP(rest_cleanup) = open_rest(answers, ARRAY_SIZE(answers));
    struct wire_run_request q = {.command = "ls", .timeout_s = -1, .grace_s = -1};
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        struct execution_id id = {.hex = "-"};
        struct problem p = {0};
        int expected = i == 5 ? ERR_INVALID : ERR_INTERNAL;
        assert_int_equal(api_start(r, &q, &id, NULL, &p), expected);
        assert_int_equal(p.err, expected);
        assert_string_equal(id.hex, "-");
    }
}

static void test_api_kill__each_answer__as_documented(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "{}"},
        {.status = 204},
        {.status = 404, .body = "{\"error\":\"e\",\"code\":\"NOT_FOUND\",\"details\":\"d\"}"},
    };
    struct rest *r CLEANUP(rest_cleanup) = open_rest(answers, ARRAY_SIZE(answers));
    struct execution_id id = {.hex = ID};
    struct problem p = {0};
    bool ended = true;
    assert_int_equal(api_kill(r, &id, &ended, &p), 0);
    assert_false(ended);
    assert_int_equal(api_kill(r, &id, &ended, &p), 0);
    assert_true(ended);
    assert_int_equal(api_kill(r, &id, &ended, &p), ERR_NOT_FOUND);
    assert_string_equal(fake_curl.requests[0].method, "DELETE");
    assert_string_equal(fake_curl.requests[0].url, "http://h/api/v1/executions/" ID);
}

static void test_api_get__answers__json_or_problem(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "{\"status\":\"RUNNING\"}"},
        {.status = 200, .body = "{"},
    };
    struct rest *r CLEANUP(rest_cleanup) = open_rest(answers, ARRAY_SIZE(answers));
    struct execution_id id = {.hex = ID};
    struct problem p = {0};
    json_t *doc CLEANUP_JSON = NULL;
    assert_int_equal(api_get(r, &id, &doc, &p), 0);
    assert_non_null(json_object_get(doc, "status"));
    json_t *none = NULL;
    assert_int_equal(api_get(r, &id, &none, &p), ERR_INTERNAL);
    assert_null(none);
}

static unsigned given, stop_at;
static int count_one(void *user, const json_t *execution)
{
    assert_null(user);
    assert_true(json_is_integer(execution));
    return ++given == stop_at ? ERR_CLOSED : 0;
}

#define NEXT "Link: </api/v1/executions?limit=500&cursor=c2>; rel=\"next\"\r\n"

static void test_api_list__pages__up_to_the_limit(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .header = NEXT, .body = "[1,2,3]"},
        {.status = 200, .body = "[4,5]"},
    };
    static const struct {
        uint64_t limit;
        unsigned stop_at, given, calls;
        int result;
        const char *first_url;
    } rows[] = {
        {0, 0, 5, 2, 0, "http://h/api/v1/executions?limit=500&status=RUNNING"},
        {4, 0, 4, 2, 0, "http://h/api/v1/executions?limit=4&status=RUNNING"},
        {3, 0, 3, 1, 0, "http://h/api/v1/executions?limit=3&status=RUNNING"},
        {2, 0, 2, 1, 0, "http://h/api/v1/executions?limit=2&status=RUNNING"},
        {900, 2, 2, 1, ERR_CLOSED, "http://h/api/v1/executions?limit=500&status=RUNNING"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct rest *r CLEANUP(rest_cleanup) = open_rest(answers, ARRAY_SIZE(answers));
        struct problem p = {.err = ERR_INTERNAL};
        given = 0;
        stop_at = rows[i].stop_at;
        assert_int_equal(api_list(r, "&status=RUNNING", rows[i].limit, count_one, NULL, &p),
                         rows[i].result);
        assert_int_equal(given, rows[i].given);
        assert_int_equal(fake_curl.calls, rows[i].calls);
        assert_string_equal(fake_curl.requests[0].url, rows[i].first_url);
        if (rows[i].calls == 2)
            assert_string_equal(fake_curl.requests[1].url,
                                "http://h/api/v1/executions?limit=500&cursor=c2");
        if (rows[i].result != 0)
            assert_int_equal(p.err, 0);
    }
}

static void test_api_list__unusable__refused_and_never_endless(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .header = NEXT, .body = "[]"},
        {.status = 200, .body = "{}"},
        {.status = 200, .body = "null"},
        {.status = 503, .body = ""},
    };
    struct rest *r CLEANUP(rest_cleanup) = open_rest(answers, ARRAY_SIZE(answers));
    struct problem p = {0};
    char status[3000];
    stop_at = 0;
    assert_int_equal(api_list(r, NULL, 0, count_one, NULL, &p), 0);
    assert_int_equal(api_list(r, NULL, 0, count_one, NULL, &p), ERR_INTERNAL);
    assert_int_equal(api_list(r, NULL, 0, count_one, NULL, &p), ERR_INTERNAL);
    assert_true(api_list(r, NULL, 0, count_one, NULL, &p) < 0);
    memset(status, 'A', sizeof status - 1);
    status[sizeof status - 1] = '\0';
    assert_int_equal(api_list(r, status, 0, count_one, NULL, &p), ERR_TOO_LARGE);
    assert_int_equal(fake_curl.calls, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_api_start__good__id_and_answer),
        cmocka_unit_test(test_api_start__unusable_answers__refused),
        cmocka_unit_test(test_api_kill__each_answer__as_documented),
        cmocka_unit_test(test_api_get__answers__json_or_problem),
        cmocka_unit_test(test_api_list__pages__up_to_the_limit),
        cmocka_unit_test(test_api_list__unusable__refused_and_never_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
