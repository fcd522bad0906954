/* tailgate logs --grep and --regex: what is asked, pages, highlights. */
#include "run_cli.h"

#include "tests/unit/base/unit.h"

#include <signal.h>
#include <string.h>

static struct cli_result r;

#define EVENT(seq, text, stream, spans)                                                    \
    "{\"message\":\"" text "\",\"timestamp\":1500,\"stream\":\"" stream "\",\"seq\":" #seq \
    ",\"last_seq\":" #seq ",\"matches\":1,\"spans\":" spans "}"
#define PAGE(events, more) "{\"events\":[" events "],\"more\":" more "}"

static const struct fake_answer one[] = {
    {.status = 200,
     .body = PAGE(EVENT(3, "an ab", "stdout", "[[0,1],[3,4]]") "," EVENT(
                      5, "\xf0\x9f\x98\x80 a", "stdout", "[[3,4]]") "," EVENT(7, "ERR a", "stderr",
                                                                              "[[4,5]]"),
                  "false")},
};

static void test_search__one_page__lines_to_their_streams(void **state UNUSED)
{
    struct cli_run run = {ANSWERS(one)};
    run_cli("logs --grep a|b&c --after 2 " ID, &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, "an ab\n\xf0\x9f\x98\x80 a\n");
    assert_string_equal(r.text.err, "ERR a\n");
    assert_non_null(strstr(fake_curl.requests[0].url,
                           "/executions/" ID "/logs?limit=1000&q=a%20b%26c&after=2"));
    run_cli("logs --regex ^a+ -i -t " ID, &run, &r);
    assert_non_null(strstr(fake_curl.requests[0].url, "&regex=%5Ea%2B&ignore_case=1"));
    assert_non_null(strstr(r.text.out, "1970-01-01T00:00:01.5"));
    run_cli("logs --grep a -o json " ID, &run, &r);
    assert_non_null(strstr(r.text.out, "{\"seq\":3,\"timestamp\":1500,\"stream\":\"stdout\","
                                       "\"message\":\"an ab\"}\n"));
}

static void test_search__terminal__matches_highlighted(void **state UNUSED)
{
    struct cli_run run = {ANSWERS(one)};
    run_cli_terminal(1);
    run_cli("logs --grep a " ID, &run, &r);
    assert_non_null(strstr(r.text.out, "\033[7ma\033[27mn \033[7ma\033[27mb\n"));
    assert_non_null(strstr(r.text.out, "\xf0\x9f\x98\x80 \033[7ma\033[27m\n"));
    assert_non_null(strstr(r.text.err, "ERR \033[7ma\033[27m"));
    run_cli("logs --grep a -o json " ID, &run, &r);
    assert_null(strstr(r.text.out, "\033["));
    run_cli_terminal(-1);
}

static void test_search__pages__until_there_is_no_more(void **state UNUSED)
{
    static const struct fake_answer answers[] = {
        {.status = 200,
         .body = "{\"events\":[" EVENT(1, "one", "stdout",
                                       "[]") "],\"more\":true,\"cursor\":\"1.0.0\"}"},
        {.status = 200, .body = "{\"events\":[],\"more\":true,\"cursor\":\"9.0.0\"}"},
        {.status = 200,
         .body = "{\"events\":[" EVENT(12, "two", "system",
                                       "[]") "],\"more\":false,\"cursor\":\"12.0.0\"}"},
    };
    struct cli_run run = {ANSWERS(answers)};
    run_cli("logs --grep x " ID, &run, &r);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.text.out, "one\n");
    assert_string_equal(r.text.err, "two\n");
    assert_int_equal(fake_curl.calls, 3);
    assert_null(strstr(fake_curl.requests[0].url, "cursor"));
    assert_non_null(strstr(fake_curl.requests[1].url, "&cursor=1.0.0"));
    assert_non_null(strstr(fake_curl.requests[2].url, "&cursor=9.0.0"));
}

static void press_ctrl_c(void)
{
    assert_int_equal(raise(SIGINT), 0);
}

static void test_search__failures__own_exit_codes(void **state UNUSED)
{
    static const struct {
        struct fake_answer answer;
        int code;
        const char *told;
    } rows[] = {
        {{.status = 400,
          .body = "{\"error\":\"invalid regex parameter\",\"code\":\"INVALID_REQUEST\","
                  "\"details\":\"missing ) at character 2\"}"},
         6,
         "missing ) at character 2"},
        {{.status = 404, .body = "{\"error\":\"e\",\"code\":\"NOT_FOUND\",\"details\":\"d\"}"},
         3,
         "d"},
        {{.before = press_ctrl_c}, 130, ""},
        {{.status = 200, .body = "{}"}, 6, "unusable answer"},
        {{.status = 200, .body = "{\"events\":[{}]}"}, 6, "unusable answer"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct cli_run run = {.answers = &rows[i].answer, .answers_count = 1};
        run_cli("logs --regex ( " ID, &run, &r);
        assert_int_equal(r.code, rows[i].code);
        assert_non_null(strstr(r.text.err, rows[i].told));
    }
}

static void test_search__wrong_usage__exit_2(void **state UNUSED)
{
    static const char *const lines[] = {
        "logs -i " ID,
        "logs --grep a --regex b " ID,
        "logs --grep a -f " ID,
        "logs --grep a --raw " ID,
        "logs --regex a --tail 3 " ID,
    };
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        run_cli(lines[i], NULL, &r);
        assert_int_equal(r.code, 2);
        assert_non_null(strstr(r.text.err, "wrong usage"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search__one_page__lines_to_their_streams),
        cmocka_unit_test(test_search__terminal__matches_highlighted),
        cmocka_unit_test(test_search__pages__until_there_is_no_more),
        cmocka_unit_test(test_search__failures__own_exit_codes),
        cmocka_unit_test(test_search__wrong_usage__exit_2),
    };
    return cmocka_run_group_tests(tests, NULL, run_cli_clean);
}
