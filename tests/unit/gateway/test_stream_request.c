/* Paths, parameters and keys as they come from strangers. */
#include "stream_rig.h"

#include "base/err.h"

#include <stdio.h>

static struct lws wsi;

static void test_endpoint__paths__each_where_it_belongs(void **state)
{
    static const struct {
        const char *path;
        enum stream_endpoint expected;
    } rows[] = {
        {"/api/v1/stream", STREAM_AT_RUNVOY},
        {"/api/v1/stream/", STREAM_AT_RUNVOY},
        {"/api/v1/ws", STREAM_AT_SESSION},
        {"/api/v1/ws///", STREAM_AT_SESSION},
        {"/", STREAM_NOWHERE},
        {"", STREAM_NOWHERE},
        {NULL, STREAM_NOWHERE},
        {"/api/v1/w", STREAM_NOWHERE},
        {"/api/v1/wss", STREAM_NOWHERE},
        {"/api/v1/stream/../ws", STREAM_NOWHERE},
        {"/api/v1/ws////////////////////////////////////", STREAM_NOWHERE},
    };

    (void)state;
    memset(&wsi, 0, sizeof wsi);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        wsi.path = rows[i].path;
        assert_int_equal(stream_request_endpoint(&wsi), rows[i].expected);
    }
}

static void test_arg__query__whole_names_and_bounded_values(void **state)
{
    static char huge[2000];
    char value[8];

    (void)state;
    memset(huge, 'a', sizeof huge - 1);
    memset(&wsi, 0, sizeof wsi);
    wsi.args[0] = huge;
    wsi.args[1] = "tokenx=1";
    wsi.args[2] = "token=a=b";
    wsi.args[3] = "long=12345678";
    assert_int_equal(stream_request_arg(&wsi, "token", value, sizeof value), 0);
    assert_string_equal(value, "a=b");
    assert_int_equal(stream_request_arg(&wsi, "long", value, sizeof value), ERR_TOO_LARGE);
    assert_int_equal(stream_request_arg(&wsi, "after", value, sizeof value), ERR_NOT_FOUND);
    assert_int_equal(stream_request_arg(&wsi, "toke", value, sizeof value), ERR_NOT_FOUND);
}

static void test_key__headers__x_api_key_first(void **state)
{
    static char huge[4000];
    static const struct {
        const char *key, *authorization;
        int expected;
        const char *value;
    } rows[] = {
        {"tg_a", NULL, 0, "tg_a"},
        {"tg_a", "Bearer tg_b", 0, "tg_a"},
        {"", "Bearer tg_b", 0, "tg_b"},
        {NULL, "Bearer tg_b", 0, "tg_b"},
        {NULL, "Bearer ", 0, ""},
        {NULL, "Basic tg_b", ERR_NOT_FOUND, NULL},
        {NULL, NULL, ERR_NOT_FOUND, NULL},
        {huge, NULL, ERR_TOO_LARGE, NULL},
        {NULL, huge, ERR_TOO_LARGE, NULL},
        {NULL, "Bearer 0123456789012345678901234567890123456789", ERR_TOO_LARGE, NULL},
    };

    (void)state;
    memset(huge, 'a', sizeof huge - 1);
    memset(&wsi, 0, sizeof wsi);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char value[32];
        wsi.key = rows[i].key;
        wsi.authorization = rows[i].authorization;
        assert_int_equal(stream_request_key(&wsi, value, sizeof value), rows[i].expected);
        if (rows[i].value)
            assert_string_equal(value, rows[i].value);
    }
}

#define ID "00004e2000000001abcdef0123456789"
#define EXECUTION "execution_id=" ID

static void test_runvoy__parameters__checked_and_named(void **state)
{
    static char huge[400] = "token=";
    static const struct {
        const char *args[4];
        int expected;
        uint64_t after;
        const char *details;
    } rows[] = {
        {{EXECUTION, "token=good"}, 0, 0, NULL},
        {{"token=good", EXECUTION, "after=9"}, 0, 9, NULL},
        {{EXECUTION, "token=good", "after=0"}, 0, 0, NULL},
        {{EXECUTION, "token=good", "after=9223372036854775807"}, 0, INT64_MAX, NULL},
        {{EXECUTION, "token=good", "last_event_id=" ID "-00000000000000000042"}, 0, 42, NULL},
        {{EXECUTION, "token=good", "last_event_id=" ID "-00000000000000000000"}, 0, 0, NULL},
        {{EXECUTION, "token=good", "after=5", "last_event_id=7"}, 0, 5, NULL},
        {{EXECUTION, "token=good", "after=-1"}, ERR_INVALID, 0, "after must be"},
        {{EXECUTION, "token=good", "after=x"}, ERR_INVALID, 0, "after must be"},
        {{EXECUTION, "token=good", "after=9223372036854775808"}, ERR_INVALID, 0, "after must be"},
        {{EXECUTION, "token=good",
          "last_event_id=00004e2000000002abcdef0123456789-00000000000000000042"},
         ERR_INVALID,
         0,
         "last_event_id must be"},
        {{EXECUTION, "token=good", "last_event_id=" ID "-0000000000000000000000000000000042"},
         ERR_INVALID,
         0,
         "last_event_id must be"},
        {{"execution_id=", "token=good"}, ERR_INVALID, 0, "execution_id is required"},
        {{"token=good"}, ERR_INVALID, 0, "execution_id is required"},
        {{"execution_id=xyz", "token=good"}, ERR_INVALID, 0, "32 hex digits"},
        {{EXECUTION "0", "token=good"}, ERR_INVALID, 0, "32 hex digits"},
        {{EXECUTION "00000000", "token=good"}, ERR_INVALID, 0, "32 hex digits"},
        {{EXECUTION}, ERR_UNAUTHORIZED, 0, "token is required"},
        {{EXECUTION, "token="}, ERR_UNAUTHORIZED, 0, "token is required"},
        {{EXECUTION, "token=bad"}, ERR_FORBIDDEN, 0, "not valid"},
        {{EXECUTION, "token=other"}, ERR_FORBIDDEN, 0, "another execution"},
        {{EXECUTION, huge}, ERR_FORBIDDEN, 0, "not valid"},
    };

    (void)state;
    memset(huge + 6, 'a', sizeof huge - 7);
    memset(&wsi, 0, sizeof wsi);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct runvoy_request request = {.after = 77};
        struct problem p = {0};
        memcpy(wsi.args, rows[i].args, sizeof wsi.args);
        assert_int_equal(stream_request_runvoy(rig.st, &wsi, &request, &p), rows[i].expected);
        if (rows[i].expected == 0) {
            assert_int_equal(request.after, rows[i].after);
            assert_int_equal(request.user_key, 7);
            assert_string_equal(request.id.hex, ID);
        } else {
            assert_int_equal(request.after, 77);
            assert_int_equal(p.err, rows[i].expected);
            assert_non_null(strstr(p.details, rows[i].details));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endpoint__paths__each_where_it_belongs),
        cmocka_unit_test(test_arg__query__whole_names_and_bounded_values),
        cmocka_unit_test(test_key__headers__x_api_key_first),
        cmocka_unit_test(test_runvoy__parameters__checked_and_named),
    };
    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
