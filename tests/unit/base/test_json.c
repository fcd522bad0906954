/* Typed access, its words, and string literals against a plain reference. */
#include "base/json.h"
#include "base/str.h"
#include "fail_alloc.h"
#include "unit.h"

#include <string.h>

static json_t *parse_ok(const char *text)
{
    json_t *j = NULL;
    struct problem p;

    assert_int_equal(json_parse(text, strlen(text), &j, &p), 0);
    return j;
}

static void test_json_parse__bad_texts__invalid_with_place(void **state UNUSED)
{
    static const char *const bad[] = {
        " ",
        "{",
        "{\"a\":1,\"a\":2}",
        "{} {}",
        "{'a':1}",
        "nul",
        "[1,]",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"\xff\"",
        "{\"a\":99999999999999999999}",
        "\"a\nb\"",
    };
    struct problem p;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        json_t *j = NULL;
        assert_int_equal(json_parse(bad[i], strlen(bad[i]), &j, &p), ERR_INVALID);
        assert_null(j);
        assert_int_equal(p.err, ERR_INVALID);
        assert_string_equal(p.error, "invalid JSON");
        assert_non_null(strstr(p.details, "line "));
        assert_null(strchr(p.details, '\"'));
    }
    json_t *j = NULL;
    assert_int_equal(json_parse(NULL, 0, &j, &p), ERR_INVALID);
    assert_string_equal(p.details, "the text is empty");
    assert_int_equal(json_parse("1\0", 2, &j, &p), ERR_INVALID);
    assert_string_equal(p.details, "NUL byte in the text");
}

static void test_json_parse_nul__escape__kept(void **state UNUSED)
{
    static const char text[] = "\"a\\u0000b\"";
    json_t *j CLEANUP_JSON = NULL;
    struct problem p;

    assert_int_equal(json_parse_nul(text, strlen(text), &j, &p), 0);
    assert_int_equal(json_string_length(j), 3);
    assert_memory_equal(json_string_value(j), "a\0b", 3);
}

static void test_json_get_str__fields__checked(void **state UNUSED)
{
    json_t *j CLEANUP_JSON = parse_ok("{\"s\":\"text\",\"n\":null,\"i\":1,\"e\":\"\"}");
    struct problem p = {0};
    const char *s = "preset";

    assert_int_equal(json_get_str(j, "s", true, 4, &s, &p), 0);
    assert_string_equal(s, "text");
    assert_int_equal(json_get_str(j, "e", true, 4, &s, &p), 0);
    assert_string_equal(s, "");
    s = "preset";
    assert_int_equal(json_get_str(j, "n", false, 4, &s, &p), 0);
    assert_int_equal(json_get_str(j, "absent", false, 4, &s, &p), 0);
    assert_string_equal(s, "preset");
    assert_int_equal(json_get_str(j, "s", true, 3, &s, &p), ERR_INVALID);
    assert_string_equal(p.details, "s must be at most 3 bytes");
    assert_int_equal(json_get_str(j, "n", true, 4, &s, &p), ERR_INVALID);
    assert_string_equal(p.details, "n is required: it must be a string");
    assert_int_equal(json_get_str(j, "absent", true, 4, &s, &p), ERR_INVALID);
    assert_int_equal(json_get_str(j, "i", false, 4, &s, &p), ERR_INVALID);
    assert_string_equal(p.details, "i must be a string");
    assert_string_equal(p.error, "invalid request");
    assert_string_equal(s, "preset");
}

static void test_json_get_str__with_nul__invalid(void **state UNUSED)
{
    static const char text[] = "{\"s\":\"a\\u0000b\"}";
    json_t *j CLEANUP_JSON = NULL;
    struct problem p;
    const char *s = NULL;

    assert_int_equal(json_parse_nul(text, strlen(text), &j, &p), 0);
    assert_int_equal(json_get_str(j, "s", true, 10, &s, &p), ERR_INVALID);
    assert_string_equal(p.details, "s must be without NUL");
    assert_null(s);
}

static void test_json_get_i64__fields__checked(void **state UNUSED)
{
    json_t *j CLEANUP_JSON = parse_ok("{\"a\":5,\"f\":5.0,\"s\":\"5\",\"m\":-9223372036854775808}");
    struct problem p = {0};
    int64_t n = 77;

    assert_int_equal(json_get_i64(j, "a", true, 5, 5, &n, &p), 0);
    assert_int_equal(n, 5);
    assert_int_equal(json_get_i64(j, "m", true, INT64_MIN, INT64_MAX, &n, &p), 0);
    assert_true(n == INT64_MIN);
    n = 77;
    assert_int_equal(json_get_i64(j, "absent", false, 0, 9, &n, &p), 0);
    assert_int_equal(json_get_i64(j, "a", true, 6, 9, &n, &p), ERR_INVALID);
    assert_string_equal(p.details, "a must be between 6 and 9");
    assert_int_equal(json_get_i64(j, "a", true, 0, 4, &n, &p), ERR_INVALID);
    assert_int_equal(json_get_i64(j, "f", true, 0, 9, &n, &p), ERR_INVALID);
    assert_string_equal(p.details, "f must be an integer");
    assert_int_equal(json_get_i64(j, "s", true, 0, 9, &n, &p), ERR_INVALID);
    assert_int_equal(json_get_i64(j, "absent", true, 0, 9, &n, &p), ERR_INVALID);
    assert_int_equal(n, 77);
}

static void test_json_get_bool__fields__checked(void **state UNUSED)
{
    json_t *j CLEANUP_JSON = parse_ok("{\"t\":true,\"f\":false,\"i\":1}");
    json_t *array CLEANUP_JSON = parse_ok("[]");
    struct problem p = {0};
    bool b = false;

    assert_int_equal(json_get_bool(j, "t", true, &b, &p), 0);
    assert_true(b);
    assert_int_equal(json_get_bool(j, "absent", false, &b, &p), 0);
    assert_true(b);
    assert_int_equal(json_get_bool(j, "i", true, &b, &p), ERR_INVALID);
    assert_string_equal(p.details, "i must be true or false");
    assert_int_equal(json_get_bool(j, "absent", true, &b, &p), ERR_INVALID);
    assert_true(b);
    assert_int_equal(json_get_bool(j, "f", true, &b, &p), 0);
    assert_false(b);
    assert_int_equal(json_get_bool(array, "f", true, &b, &p), ERR_INVALID);
    assert_string_equal(p.details, "must be an object");
    assert_int_equal(json_get_bool(NULL, "f", true, &b, &p), ERR_INVALID);
}

static void test_json_append__value__compact(void **state UNUSED)
{
    json_t *j CLEANUP_JSON = parse_ok(" { \"a\" : [ 1 , null , \"\\u00fc\" ] } ");
    struct buf b CLEANUP_BUF = {.max = 100};
    struct buf small CLEANUP_BUF = {.max = 6};

    assert_int_equal(buf_append_str(&b, "x"), 0);
    assert_int_equal(json_append(&b, j), 0);
    assert_string_equal(b.data, "x{\"a\":[1,null,\"\xC3\xBC\"]}");
    assert_int_equal(buf_append_str(&small, "x"), 0);
    assert_int_equal(json_append(&small, j), ERR_TOO_LARGE);
    assert_string_equal(small.data, "x");
}

static void check_string(const char *s, size_t n, const char *want)
{
    struct buf b CLEANUP_BUF = {.max = 10000};

    assert_int_equal(json_append_string(&b, s, n), 0);
    assert_string_equal(b.data, want);
}

static void test_json_append_string__examples__escaped(void **state UNUSED)
{
    static const struct {
        const char *s;
        size_t n;
        const char *want;
    } rows[] = {
        {"", 0, "\"\""},
        {"plain text, longer than a word", 30, "\"plain text, longer than a word\""},
        {"\"\\/", 3, "\"\\\"\\\\/\""},
        {"\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\""},
        {"\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\""},
        {"\033[31mred\033[0m", 12, "\"\\u001b[31mred\\u001b[0m\""},
        {"gr\xC3\xBC\xC3\x9F", 6, "\"gr\xC3\xBC\xC3\x9F\""},
        {"\xF0\x9F\x98\x80", 4, "\"\xF0\x9F\x98\x80\""},
        {"\377\376 bad", 6, "\"\xEF\xBF\xBD\xEF\xBF\xBD bad\""},
        /* Unicode 3.9, table 3-8, 3-9, 3-10, 3-11 */
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", 9,
         "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
         "\xEF\xBF\xBD"
         "A\""},
        {"\xED\xA0\x80\x41", 4,
         "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
         "A\""},
        {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", 9,
         "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"
         "A\""},
        {"cut \xE2\x82", 6, "\"cut \xEF\xBF\xBD\""},
        {"\xE2\x80\xA8", 3, "\"\xE2\x80\xA8\""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check_string(rows[i].s, rows[i].n, rows[i].want);
}

/* One character at a time. */
static void append_reference(struct buf *out, const char *s, size_t n)
{
    assert_int_equal(buf_append_char(out, '"'), 0);
    for (size_t i = 0; i < n;) {
        bool valid;
        size_t step = str_utf8_step(s + i, n - i, &valid);
        unsigned char c = (unsigned char)s[i];
        const char *at = c ? strchr("\"\"\\\\\bb\ff\nn\rr\tt", c) : NULL;
        int r;
        if (!valid)
            r = buf_append_str(out, "\xEF\xBF\xBD");
        else if (at && (c < 0x20 || c == '"' || c == '\\'))
            r = buf_printf(out, "\\%c", at[1]);
        else if (c < 0x20)
            r = buf_printf(out, "\\u%04x", c);
        else
            r = buf_append(out, s + i, step);
        assert_int_equal(r, 0);
        i += step;
    }
    assert_int_equal(buf_append_char(out, '"'), 0);
}

static void test_json_append_string__each_byte_at_each_place__as_reference(void **state UNUSED)
{
    struct buf want CLEANUP_BUF = {.max = 1000};
    struct buf have CLEANUP_BUF = {.max = 1000};
    char s[24];

    for (int c = 0; c < 256; c++) {
        for (size_t at = 0; at < sizeof(s); at++) {
            memset(s, 'x', sizeof(s));
            s[at] = (char)c;
            buf_clear(&want);
            buf_clear(&have);
            append_reference(&want, s, sizeof(s));
            assert_int_equal(json_append_string(&have, s, sizeof(s)), 0);
            assert_string_equal(have.data, want.data);
        }
    }
}

static void test_json_append_string__random_bytes__as_reference_and_parseable(void **state UNUSED)
{
    static const char alphabet[] =
        "ab\"\\\n\x01\x7f\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80\xED\xA0\xFF";
    struct buf want CLEANUP_BUF = {.max = 1000};
    struct buf have CLEANUP_BUF = {.max = 1000};
    uint64_t random = 88172645463325252u; /* xorshift64's usual seed: the same bytes each time */

    for (int round = 0; round < 20000; round++) {
        char s[40];
        for (size_t i = 0; i < sizeof(s); i++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            s[i] = alphabet[random % (sizeof(alphabet) - 1)];
        }
        buf_clear(&want);
        buf_clear(&have);
        append_reference(&want, s, random % sizeof(s));
        assert_int_equal(json_append_string(&have, s, random % sizeof(s)), 0);
        assert_string_equal(have.data, want.data);
        json_decref(parse_ok(have.data));
    }
}

static void test_json_append_string__no_room__unchanged(void **state UNUSED)
{
    static const char text[] = "ab\n\xff"
                               "cd"; /* 2 + 6 + 3 + 2 ... + quotes = 13 bytes of JSON */

    for (size_t max = 1; max < 12; max++) {
        struct buf b CLEANUP_BUF = {.max = max};
        assert_int_equal(buf_append_str(&b, "x"), 0);
        assert_int_equal(json_append_string(&b, text, strlen(text)), ERR_TOO_LARGE);
        assert_string_equal(b.data, "x");
    }
    struct buf empty CLEANUP_BUF = {.max = 0};
    assert_int_equal(json_append_string(&empty, "x", 1), ERR_TOO_LARGE);
    struct buf b CLEANUP_BUF = {.max = 12};
    assert_int_equal(buf_append_str(&b, "x"), 0);
    assert_int_equal(json_append_string(&b, text, strlen(text)), 0);
}

static void test_json_parse__each_allocation_fails__nomem(void **state UNUSED)
{
    static const char text[] = "{\"a\":[1,2.5,\"text\",true,{\"b\":\"a longer string, to grow\"}]}";
    unsigned failed = 0;

    for (unsigned n = 1; fail_alloc_at(n); n++) {
        json_t *j = NULL;
        struct problem p = {0};
        int r = json_parse(text, strlen(text), &j, &p);
        if (fail_alloc_off()) {
            assert_int_equal(r, ERR_NOMEM);
            assert_int_equal(p.err, ERR_NOMEM);
            assert_null(j);
            failed++;
        } else {
            assert_int_equal(r, 0);
            json_decref(j);
        }
    }
    assert_in_range(failed, 5, 100);
}

static void test_json_append__each_allocation_fails__nomem_and_unchanged(void **state UNUSED)
{
    json_t *j CLEANUP_JSON = parse_ok("{\"a\":[1,\"text\"],\"b\":2}");

    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct buf b CLEANUP_BUF = {.max = 1000};
        int r = json_append(&b, j);
        if (fail_alloc_off()) {
            assert_int_equal(r, ERR_NOMEM);
            assert_int_equal(b.len, 0);
        } else {
            assert_int_equal(r, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_parse__bad_texts__invalid_with_place),
        cmocka_unit_test(test_json_parse_nul__escape__kept),
        cmocka_unit_test(test_json_get_str__fields__checked),
        cmocka_unit_test(test_json_get_str__with_nul__invalid),
        cmocka_unit_test(test_json_get_i64__fields__checked),
        cmocka_unit_test(test_json_get_bool__fields__checked),
        cmocka_unit_test(test_json_append__value__compact),
        cmocka_unit_test(test_json_append_string__examples__escaped),
        cmocka_unit_test(test_json_append_string__each_byte_at_each_place__as_reference),
        cmocka_unit_test(test_json_append_string__random_bytes__as_reference_and_parseable),
        cmocka_unit_test(test_json_append_string__no_room__unchanged),
        cmocka_unit_test(test_json_parse__each_allocation_fails__nomem),
        cmocka_unit_test(test_json_append__each_allocation_fails__nomem_and_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
