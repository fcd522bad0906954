/* Calls through libcurl: what is asked, how answers and failures come back. */
#include "fake_curl.h"

#include "cli/rest.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/base/unit.h"

#include <signal.h>
#include <string.h>

static struct settings settings = {
    .endpoint = {.host = "h", .port = 8080, .authority = "h:8080", .base = "/api/v1"},
    .api_key = (char *)"tg_secret",
};
static bool slist_fails;

struct curl_slist *__real_curl_slist_append(struct curl_slist *list, const char *text);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text);
struct curl_slist *__wrap_curl_slist_append(struct curl_slist *list, const char *text)
{
    return slist_fails ? NULL : __real_curl_slist_append(list, text);
}

static int call(const struct fake_answer *answer, struct rest_answer *ret, struct problem *p)
{
    struct rest *r CLEANUP(rest_cleanup) = NULL;
    fake_curl_reset(answer, 1);
    assert_int_equal(rest_new(&settings, NULL, &r), 0);
    return rest_call(r, "GET", "/executions", NULL, ret, p);
}

static void test_rest_call__get_and_post__request_as_expected(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "[]"},
        {.status = 202, .body = "{\"a\":", .repeat = 2},
        {.status = 204},
    };
    struct rest *r CLEANUP(rest_cleanup) = NULL;
    struct rest_answer a CLEANUP(rest_answer_done) = {0};
    struct rest_answer b CLEANUP(rest_answer_done) = {0};
    struct rest_answer c CLEANUP(rest_answer_done) = {0};
    struct buf body CLEANUP_BUF;
    struct problem p = {0};
    buf_init(&body, 100);
    assert_int_equal(buf_append_str(&body, "{\"command\":\"x\"}"), 0);
    fake_curl_reset(answers, ARRAY_SIZE(answers));
    assert_int_equal(rest_new(&settings, NULL, &r), 0);
    assert_int_equal(rest_call(r, "GET", "/executions?limit=1", NULL, &a, &p), 0);
    assert_string_equal(a.body.data, "[]");
    assert_string_equal(a.next, "");
    const struct fake_request *q = &fake_curl.requests[0];
    assert_string_equal(q->url, "http://h:8080/api/v1/executions?limit=1");
    assert_string_equal(q->method, "GET");
    assert_string_equal(q->headers, "X-API-Key: tg_secret\nExpect: \n");
    assert_string_equal(q->body, "");
    assert_string_equal(q->ca_file, "");
    assert_int_equal(q->timeout_ms, REST_TIMEOUT_MS);
    assert_false(q->follows);

    assert_int_equal(rest_call(r, "POST", "/run", &body, &b, &p), 0);
    assert_int_equal(b.status, 202);
    assert_string_equal(b.body.data, "{\"a\":{\"a\":");
    q = &fake_curl.requests[1];
    assert_string_equal(q->body, "{\"command\":\"x\"}");
    assert_non_null(strstr(q->headers, "Content-Type: application/json\n"));

    assert_int_equal(rest_call(r, "DELETE", "/executions/x", NULL, &c, &p), 0);
    assert_int_equal(c.status, 204);
    assert_int_equal(c.body.len, 0);
}

static void test_rest_call__tls_and_ca_file__set(void **state UNUSED)
{
    static const struct fake_answer answer = {.status = 200};
    struct rest_answer a CLEANUP(rest_answer_done) = {0};
    struct problem p = {0};
    settings.endpoint.tls = true;
    settings.ca_file = (char *)"/ca.pem";
    int r = call(&answer, &a, &p);
    settings.endpoint.tls = false;
    settings.ca_file = NULL;
    assert_int_equal(r, 0);
    assert_string_equal(fake_curl.requests[0].url, "https://h:8080/api/v1/executions");
    assert_string_equal(fake_curl.requests[0].ca_file, "/ca.pem");
}

static void test_rest_call__errors_of_the_server__in_the_problem(void **state UNUSED)
{
    static const struct {
        struct fake_answer answer;
        int err;
        const char *details;
    } rows[] = {
        {{.status = 404,
          .body = "{\"error\":\"e\",\"code\":\"NOT_FOUND\",\"details\":\"no such\"}"},
         ERR_NOT_FOUND,
         "no such"},
        {{.status = 401,
          .body = "{\"error\":\"e\",\"code\":\"INVALID_API_KEY\",\"details\":\"bad\"}"},
         ERR_BAD_KEY,
         "bad"},
        {{.status = 403,
          .body = "{\"error\":\"e\",\"code\":\"FORBIDDEN\",\"details\":\"not you\"}"},
         ERR_FORBIDDEN,
         "not you"},
        {{.status = 502, .body = "<html>"}, 0, ""},
        {{.status = 301}, 0, ""},
        {{.status = 500}, 0, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct rest_answer a CLEANUP(rest_answer_done) = {0};
        struct problem p = {0};
        int r = call(&rows[i].answer, &a, &p);
        assert_true(r < 0);
        assert_int_equal(p.err, r);
        if (rows[i].err != 0) {
            assert_int_equal(r, rows[i].err);
            assert_string_equal(p.details, rows[i].details);
        }
        assert_null(a.body.data);
    }
}

static void test_rest_call__transport_fails__unreachable(void **state UNUSED)
{
    static const struct {
        struct fake_answer answer;
        int err;
        const char *details;
    } rows[] = {
        {{.code = CURLE_COULDNT_CONNECT, .error = "Connection refused"},
         ERR_SYS,
         "h:8080: Connection refused"},
        {{.code = CURLE_OPERATION_TIMEDOUT}, ERR_SYS, "h:8080: Timeout was reached"},
        {{.code = CURLE_OUT_OF_MEMORY}, ERR_NOMEM, "out of memory"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct rest_answer a CLEANUP(rest_answer_done) = {0};
        struct problem p = {0};
        assert_int_equal(call(&rows[i].answer, &a, &p), rows[i].err);
        assert_string_equal(p.details, rows[i].details);
    }
}

static void test_rest_call__endless_body__bounded(void **state UNUSED)
{
    static char block[(1 << 20) + 1];
    memset(block, ' ', sizeof block - 1);
    const struct fake_answer answer = {.status = 200, .body = block, .repeat = 100};
    struct rest_answer a CLEANUP(rest_answer_done) = {0};
    struct problem p = {0};
    assert_int_equal(call(&answer, &a, &p), ERR_TOO_LARGE);
    assert_non_null(strstr(p.details, "more than"));
}

static void test_rest_call__link_header__only_its_query(void **state UNUSED)
{
    static char long_link[1200] = "Link: </x?";
    memset(long_link + 10, 'q', 1100);
    memcpy(long_link + 1110, ">; rel=\"next\"\r\n", 16);
    const struct {
        const char *header, *next;
    } rows[] = {
        {"Link: </api/v1/executions?limit=2&cursor=abc>; rel=\"next\"\r\n", "limit=2&cursor=abc"},
        {"link: <http://evil/?cursor=x>; rel=\"next\"\r\n", "cursor=x"},
        {"Link: </x?cursor=abc>; rel=\"prev\"\r\n", ""},
        {"Link: </x>; rel=\"next\"\r\n", ""},
        {"Link: >?\"next\"\r\n", ""},
        {"Linked: </x?a>; rel=\"next\"\r\n", ""},
        {"\r\n", ""},
        {long_link, ""},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct fake_answer answer = {.status = 200, .header = rows[i].header};
        struct rest_answer a CLEANUP(rest_answer_done) = {0};
        struct problem p = {0};
        assert_int_equal(call(&answer, &a, &p), 0);
        assert_string_equal(a.next, rows[i].next);
    }
}

static void press_ctrl_c(void)
{
    assert_int_equal(raise(SIGINT), 0);
}

static void test_rest_call__signal_while_waiting__ends_it(void **state UNUSED)
{
    static const struct fake_answer answers[] = {{.status = 200}, {.before = press_ctrl_c}};
    struct rest *r CLEANUP(rest_cleanup) = NULL;
    struct rest_answer a CLEANUP(rest_answer_done) = {0};
    struct problem p = {0};
    struct interrupt i;
    assert_int_equal(interrupt_init(&i), 0);
    fake_curl_reset(answers, 2);
    assert_int_equal(rest_new(&settings, &i, &r), 0);
    assert_int_equal(rest_call(r, "GET", "/x", NULL, &a, &p), 0);
    assert_int_equal(rest_call(r, "GET", "/x", NULL, &a, &p), ERR_AGAIN);
    interrupt_done(&i);
}

struct sink {
    char text[64];
    int fails;
};

static int take(void *user, const char *bytes, size_t len)
{
    struct sink *s = user;
    assert_true(len < sizeof s->text);
    memcpy(s->text, bytes, len);
    s->text[len] = '\0';
    return s->fails;
}

static void test_rest_download__body__to_the_sink(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 200, .body = "bytes"},
        {.status = 404, .body = "{\"error\":\"e\",\"code\":\"NOT_FOUND\",\"details\":\"none\"}"},
        {.status = 200, .body = "more"},
    };
    struct rest *r CLEANUP(rest_cleanup) = NULL;
    struct problem p = {0};
    struct sink s = {0};
    int sink_error = 77;
    fake_curl_reset(answers, ARRAY_SIZE(answers));
    assert_int_equal(rest_new(&settings, NULL, &r), 0);
    assert_int_equal(rest_download(r, "/x/logs.txt", take, &s, &sink_error, &p), 0);
    assert_string_equal(s.text, "bytes");
    assert_int_equal(sink_error, 0);
    assert_int_equal(fake_curl.requests[0].timeout_ms, 0);
    assert_int_equal(rest_download(r, "/x/logs.txt", take, &s, &sink_error, &p), ERR_NOT_FOUND);
    assert_string_equal(s.text, "bytes");
    s.fails = ERR_CLOSED;
    assert_int_equal(rest_download(r, "/x/logs.txt", take, &s, &sink_error, &p), ERR_INTERNAL);
    assert_int_equal(sink_error, ERR_CLOSED);
}

static void test_rest__no_memory__reported(void **state UNUSED)
{
    static const struct fake_answer answer = {.status = 200};
    struct rest *r = NULL;
    fake_curl_reset(&answer, 1);
    fake_curl.no_handle = true;
    assert_int_equal(rest_new(&settings, NULL, &r), ERR_NOMEM);
    fake_curl.no_handle = false;
    assert_true(fail_alloc_at(1));
    assert_int_equal(rest_new(&settings, NULL, &r), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_null(r);
    rest_free(r);

    struct rest_answer a CLEANUP(rest_answer_done) = {0};
    struct problem p = {0};
    int sink_error;
    struct sink s = {0};
    assert_int_equal(rest_new(&settings, NULL, &r), 0);
    slist_fails = true;
    assert_int_equal(rest_call(r, "GET", "/x", NULL, &a, &p), ERR_NOMEM);
    slist_fails = false;
    fake_curl.refused = CURLOPT_URL;
    assert_int_equal(rest_call(r, "GET", "/x", NULL, &a, &p), ERR_NOMEM);
    assert_int_equal(rest_download(r, "/x", take, &s, &sink_error, &p), ERR_NOMEM);
    fake_curl.refused = CURLOPT_CUSTOMREQUEST;
    assert_int_equal(rest_call(r, "GET", "/x", NULL, &a, &p), ERR_NOMEM);
    assert_int_equal(fake_curl.calls, 0);
    rest_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rest_call__get_and_post__request_as_expected),
        cmocka_unit_test(test_rest_call__tls_and_ca_file__set),
        cmocka_unit_test(test_rest_call__errors_of_the_server__in_the_problem),
        cmocka_unit_test(test_rest_call__transport_fails__unreachable),
        cmocka_unit_test(test_rest_call__endless_body__bounded),
        cmocka_unit_test(test_rest_call__link_header__only_its_query),
        cmocka_unit_test(test_rest_call__signal_while_waiting__ends_it),
        cmocka_unit_test(test_rest_download__body__to_the_sink),
        cmocka_unit_test(test_rest__no_memory__reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
