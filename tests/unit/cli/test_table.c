/* Tables for people, on wide terminals and narrow ones. */
#include "cli/table.h"

#include "cli/plain_text.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/base/unit.h"

#include <string.h>

static const struct table_column columns[] = {
    {"NAME", "name", TABLE_TEXT, 0, false}, {"NOTE", "note", TABLE_TEXT, 1, true},
    {"AT", "at", TABLE_TIME, 2, false},     {"ON", "on", TABLE_FLAG, 0, false},
    {"WHO", "who", TABLE_TEXT, 3, false},
};
#define NOTE "a rather long note of thirty!"
#define ROWS                                                           \
    "[{\"name\":\"a\",\"note\":\"" NOTE "\",\"at\":"                   \
    "\"2026-01-02T03:04:05.678Z\",\"on\":true,\"who\":[\"x\",\"y\"]}," \
    "{\"name\":7,\"at\":\"2026-01-02T03:04:05Z\",\"on\":false,\"who\":true}]"

static json_t *parse(const char *text)
{
    json_t *j = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(j);
    return j;
}

static const char *print(struct buf *out, const char *rows, size_t width)
{
    struct problem p = {0};
    json_t *j CLEANUP_JSON = parse(rows);
    buf_clear(out);
    assert_int_equal(table_append(out, columns, ARRAY_SIZE(columns), j, width, &p), 0);
    return out->data;
}

static void test_table_append__wide__all_of_it(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 4096};
    assert_string_equal(print(&b, ROWS, 0),
                        "NAME  NOTE                           AT                    ON   WHO\n"
                        "a     " NOTE "  2026-01-02T03:04:05Z  yes  x,y\n"
                        "7     -                              2026-01-02T03:04:05Z  -    yes\n");
}

static void test_table_append__narrow__cut_then_left_out(void **state UNUSED)
{
    static const struct {
        size_t width;
        const char *there, *gone;
    } rows[] = {
        {70, "thirty!", "nothing"}, {60, "WHO", "thirty!"}, {47, "AT  ", "WHO"},
        {35, "NOTE", "AT  "},       {12, "ON", "NOTE"},
    };
    struct buf b CLEANUP_BUF = {.max = 4096};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *text = print(&b, ROWS, rows[i].width);
        assert_non_null(strstr(text, rows[i].there));
        assert_null(strstr(text, rows[i].gone));
    }
    for (size_t width = 11; width < 80; width++) {
        const char *line = print(&b, ROWS, width);
        for (; *line != '\0'; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= width);
    }
    (void)print(&b, ROWS, 3); /* what must stay does */
    assert_non_null(strstr(b.data, "NAME  ON\n"));
}

static void test_table_append__nothing_or_no_rows__told(void **state UNUSED)
{
    static const char *const bad[] = {"{}", "[1]", "null"};
    struct buf b CLEANUP_BUF = {.max = 4096};
    assert_string_equal(print(&b, "[]", 80), "NAME  NOTE  AT  ON  WHO\n");
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct problem p = {0};
        json_t *j CLEANUP_JSON = parse(bad[i]);
        assert_int_equal(table_append(&b, columns, ARRAY_SIZE(columns), j, 80, &p), ERR_INVALID);
        assert_string_equal(p.error, "unusable answer from the server");
    }
}

static void test_table_append__no_memory__error(void **state UNUSED)
{
    json_t *j CLEANUP_JSON = parse(ROWS);
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct buf b CLEANUP_BUF = {.max = 4096};
        struct problem p = {0};
        int r = table_append(&b, columns, ARRAY_SIZE(columns), j, 0, &p);
        assert_int_equal(r, fail_alloc_off() ? ERR_NOMEM : 0);
    }
}

static void test_table_append_fields__object__what_is_set(void **state UNUSED)
{
    struct buf b CLEANUP_BUF = {.max = 4096};
    json_t *j CLEANUP_JSON = parse("{\"name\":\"a\\u001bb\",\"on\":true,\"who\":[\"x\",1]}");
    assert_int_equal(table_append_fields(&b, columns, ARRAY_SIZE(columns), j), 0);
    assert_string_equal(b.data, "NAME  a b\nON    yes\nWHO   x,?\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table_append__wide__all_of_it),
        cmocka_unit_test(test_table_append__narrow__cut_then_left_out),
        cmocka_unit_test(test_table_append__nothing_or_no_rows__told),
        cmocka_unit_test(test_table_append__no_memory__error),
        cmocka_unit_test(test_table_append_fields__object__what_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
