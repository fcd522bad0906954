/* Executions as text. */
#include "cli/execution_text.h"
#include "cli/plain_text.h"
#include "tests/unit/base/unit.h"

#include "base/buf.h"

#include <string.h>

#define ID "0000500000000001aabbccddeeff0011"

int64_t __wrap_clock_wall_us(void);
int64_t __wrap_clock_wall_us(void)
{
    return 1767323045000000; /* 2026-01-02T03:04:05Z */
}

static json_t *doc(const char *text)
{
    json_t *j = json_loads(text, 0, NULL);
    assert_non_null(j);
    return j;
}

#define ENDED                                                                               \
    "{\"execution_id\":\"" ID "\",\"status\":\"FAILED\",\"command\":\"a\\nb\\u001b[31m\","  \
    "\"image_id\":\"debian\",\"started_at\":\"2026-01-02T03:04:05.678Z\",\"exit_code\":7,"  \
    "\"completed_at\":\"2026-01-02T03:04:07.000Z\",\"reason\":\"timeout\",\"last_seq\":12," \
    "\"created_by\":\"a@b\"}"

static void test_execution_text_fields__ended__every_field(void **state UNUSED)
{
    json_t *j = doc(ENDED);
    struct buf b CLEANUP_BUF;
    struct problem p = {0};
    buf_init(&b, 4096);
    assert_int_equal(execution_text_fields(&b, j, &p), 0);
    assert_string_equal(b.data, "execution    " ID "\n"
                                "status       FAILED\n"
                                "exit code    7\n"
                                "reason       timeout\n"
                                "started      2026-01-02T03:04:05Z\n"
                                "completed    2026-01-02T03:04:07Z\n"
                                "duration     1.3s\n"
                                "lines        12\n"
                                "created by   a@b\n"
                                "image        debian\n"
                                "command      a b [31m\n");
    json_decref(j);
}

static void test_execution_text_fields__little_known__dashes(void **state UNUSED)
{
    json_t *j = doc("{\"execution_id\":\"" ID "\",\"status\":\"PENDING\",\"exit_code\":null}");
    struct buf b CLEANUP_BUF;
    struct problem p = {0};
    buf_init(&b, 4096);
    assert_int_equal(execution_text_fields(&b, j, &p), 0);
    assert_non_null(strstr(b.data, "exit code    -\n"));
    assert_non_null(strstr(b.data, "started      -\n"));
    assert_non_null(strstr(b.data, "duration     -\n"));
    assert_non_null(strstr(b.data, "image        -\n"));
    json_decref(j);
}

static void test_execution_text_row__durations__short(void **state UNUSED)
{
    static const struct {
        const char *started, *shown;
    } rows[] = {
        {"2026-01-02T03:04:04.900Z", "    0.1s  "}, {"2026-01-02T03:03:05.000Z", "   1m00s  "},
        {"2026-01-02T02:04:04.000Z", "   1h00m  "}, {"2025-12-31T03:04:05.000Z", "  48h00m  "},
        {"2026-01-02T03:04:06.000Z", "       -  "},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf b CLEANUP_BUF;
        struct problem p = {0};
        buf_init(&b, 4096);
        json_t *j = json_pack("{s:s,s:s,s:s,s:s}", "execution_id", ID, "status", "RUNNING",
                              "command", "ls", "started_at", rows[i].started);
        assert_int_equal(execution_text_row(&b, j, 0, &p), 0);
        assert_non_null(strstr(b.data, rows[i].shown));
        json_decref(j);
    }
}

static void test_execution_text_row__width__cut_at_characters(void **state UNUSED)
{
    char command[400];
    struct buf b CLEANUP_BUF;
    struct problem p = {0};
    memset(command, 'x', sizeof command - 1);
    command[sizeof command - 1] = '\0';
    memcpy(command + 20, "\xc3\xa9\xc3\xa9", 4);
    json_t *j =
        json_pack("{s:s,s:s,s:s}", "execution_id", ID, "status", "RUNNING", "command", command);
    buf_init(&b, 4096);
    assert_int_equal(execution_text_row(&b, j, 0, &p), 0);
    assert_int_equal(b.len, 111 + 399 + 1);
    buf_clear(&b);
    assert_int_equal(execution_text_row(&b, j, 140, &p), 0);
    assert_int_equal(b.len, 140 + 2 + 1); /* two characters of two bytes */
    assert_int_equal(b.data[b.len - 1], '\n');
    buf_clear(&b);
    for (size_t columns = 56; columns < 160; columns++) { /* narrow ones show less, none wraps */
        buf_clear(&b);
        assert_int_equal(execution_text_row(&b, j, columns, &p), 0);
        size_t shown = plain_text_width(b.data) - 1;
        assert_int_equal(shown, columns);
        assert_non_null(strstr(b.data, ID "  RUNNING "));
        buf_clear(&b);
        assert_int_equal(execution_text_header(&b, columns), 0);
        assert_true(b.len - 1 <= columns);
    }
    json_decref(j);
    buf_clear(&b);
    assert_int_equal(execution_text_header(&b, 0), 0);
    assert_non_null(strstr(b.data, "COMMAND\n"));
    assert_int_equal(strstr(b.data, "COMMAND") - b.data, 111);
    static const struct {
        size_t columns;
        const char *there, *gone;
    } rows[] = {
        {135, "CREATED BY", "nothing"}, {134, "DURATION", "CREATED BY"},
        {108, "STARTED", "DURATION"},   {98, "EXIT", "STARTED"},
        {76, "STATUS", "EXIT"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        buf_clear(&b);
        assert_int_equal(execution_text_header(&b, rows[i].columns), 0);
        assert_non_null(strstr(b.data, rows[i].there));
        assert_null(strstr(b.data, rows[i].gone));
    }
}

static void test_execution_text__unusable__refused(void **state UNUSED)
{
    static const char *const texts[] = {
        "{\"execution_id\":\"zz\",\"status\":\"RUNNING\"}",
        "{\"execution_id\":\"" ID "\",\"status\":\"DANCING\"}",
        "{\"execution_id\":\"" ID "\",\"status\":\"RUNNING\",\"started_at\":\"\"}",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct buf b CLEANUP_BUF;
        struct problem p = {0};
        json_t *j = doc(texts[i]);
        buf_init(&b, 4096);
        assert_int_equal(execution_text_row(&b, j, 0, &p), ERR_INVALID);
        assert_int_equal(execution_text_fields(&b, j, &p), ERR_INVALID);
        assert_int_equal(b.len, 0);
        json_decref(j);
    }
    json_t *j = doc(ENDED);
    struct problem p = {0};
    for (size_t max = 0; max < 200; max += 10) {
        struct buf b CLEANUP_BUF;
        buf_init(&b, max);
        assert_int_equal(execution_text_fields(&b, j, &p), ERR_TOO_LARGE);
    }
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_execution_text_fields__ended__every_field),
        cmocka_unit_test(test_execution_text_fields__little_known__dashes),
        cmocka_unit_test(test_execution_text_row__durations__short),
        cmocka_unit_test(test_execution_text_row__width__cut_at_characters),
        cmocka_unit_test(test_execution_text__unusable__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
