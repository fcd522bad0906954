/* What matches, what is refused, and that no expression takes long on any line. */
#include "logs/pattern.h"

#include "tests/unit/base/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static uint32_t seed;

static uint32_t draw(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static int find(const char *regex, bool ignore_case, const char *text, size_t len, size_t *start,
                size_t *end)
{
    struct pattern *p = NULL;
    struct problem problem;
    assert_int_equal(pattern_new(regex, true, ignore_case, &p, &problem), 0);
    int rc = pattern_next(p, text, len, 0, start, end);
    pattern_free(p);
    return rc;
}

static void test_pattern__expensive__given_up_in_time(void **state UNUSED)
{
    static const char *const regexes[] = {"(a+)+$",
                                          "(.+)\\1[0-9]",
                                          "(?i)(.+)\\1[0-9]",
                                          "(?=(a+))a*[bc]\\1",
                                          "(?:a*a*)*[bc]",
                                          "(?:.{0,50}){0,50}[yz]",
                                          "(\\w)*(\\d)",
                                          "[a-z]+[0-9]",
                                          "(*NO_JIT)(a|aa)+$",
                                          "(*NO_JIT)[a-z]+[0-9]",
                                          "((a)|b)*+[xy]",
                                          "\\p{L}+\\p{N}"};
    static char text[1u << 20];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        for (size_t len = 128; len <= sizeof text; len *= 8) {
            size_t start, end;
            clock_t began = clock(); /* processor time: a busy machine does not count */
            int rc = find(regexes[i], false, text + sizeof text - len, len, &start, &end);
            assert_true(rc == ERR_END || rc == ERR_LIMIT);
            assert_true(clock() - began < 5 * CLOCKS_PER_SEC);
        }
    }
}

static void test_pattern__hostile_bytes__matches_lie_inside(void **state UNUSED)
{
    static const char *const regexes[] = {"a", ".",   "\\w+",   "[^a]",     "(?i)\303\274", "$",
                                          "^", "\\b", "a\\Kb?", "(?<=.)x*", "\\x{1F600}",   "\\R"};
    for (size_t i = 0; i < sizeof regexes / sizeof *regexes; i++) {
        struct pattern *p = NULL;
        struct problem problem;
        assert_int_equal(pattern_new(regexes[i], true, i % 2, &p, &problem), 0);
        seed = (uint32_t)i;
        for (unsigned round = 0; round < 2000; round++) {
            char text[700];
            size_t len = draw(sizeof text), from = 0, start = 0, end = 0;
            for (size_t k = 0; k < len; k++)
                text[k] = (char)(draw(4) ? 'a' + (int)draw(3) : (int)draw(256));
            while (pattern_next(p, text, len, from, &start, &end) == 0) {
                assert_true(start >= from && end >= start && end <= len);
                from = end > from ? end : from + 1;
            }
            assert_true(pattern_matches_empty(p, text, len) <= 0);
        }
        pattern_free(p);
    }
}

static void test_pattern_new__bad__told_where(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool is_regex;
        const char *told;
    } rows[] = {{"(", true, "at character 2"}, {"", false, "1 to 1024"},
                {"\377", false, "UTF-8"},      {"\303\274[", true, "character 3"},
                {"\\C", true, "character 3"},  {"a{9999999}", true, "character"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct pattern *p = NULL;
        struct problem problem = {0};
        assert_int_equal(pattern_new(rows[i].text, rows[i].is_regex, false, &p, &problem),
                         ERR_INVALID);
        assert_non_null(strstr(problem.details, rows[i].told));
        assert_null(p);
    }
}

static struct pattern *make(const char *text, bool is_regex, bool ignore_case)
{
    struct pattern *p = NULL;
    struct problem problem;
    assert_int_equal(pattern_new(text, is_regex, ignore_case, &p, &problem), 0);
    return p;
}

static void test_pattern_next__texts_and_expressions__every_match(void **state UNUSED)
{
    static const struct {
        const char *pattern;
        bool is_regex, ignore_case;
        const char *line, *matches; /* each as [START,END) */
    } rows[] = {
        {"aa", false, false, "aaaaa aA", "[0,2)[2,4)"},
        {"aa", false, true, "aaaaa aA", "[0,2)[2,4)[6,8)"},
        {"a.c", false, false, "abc a.c", "[4,7)"},
        {"a.c", false, true, "ABC A.C", "[4,7)"},
        {"longer than the line", false, false, "line", ""},
        {"\303\274", false, true, "\303\234ber", "[0,2)"},
        {"a.c", true, false, "abc a.c", "[0,3)[4,7)"},
        {"^b", true, false, "bb", "[0,1)"},
        {"x*", true, false, "axxa", "[1,3)"},
        {"\\bERR(OR)?\\b", true, true, "an error, ERRORS, Err", "[3,8)[18,21)"},
        {"a\\Kb", true, false, "abab", "[1,2)[3,4)"},
        {".", true, false, "a\377b", "[0,1)[2,3)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct pattern *p = make(rows[i].pattern, rows[i].is_regex, rows[i].ignore_case);
        size_t len = strlen(rows[i].line), from = 0, start = 0, end = 0, n = 0;
        char found[100] = "";
        int rc = pattern_next(p, rows[i].line, len, from, &start, &end);
        for (; rc == 0; rc = pattern_next(p, rows[i].line, len, from, &start, &end)) {
            n += (size_t)snprintf(found + n, sizeof found - n, "[%zu,%zu)", start, end);
            from = end;
        }
        assert_int_equal(rc, ERR_END);
        assert_string_equal(found, rows[i].matches);
        assert_int_equal(pattern_next(p, rows[i].line, len, len + 1, &start, &end), ERR_END);
        pattern_free(p);
    }
}

static void test_pattern_matches_empty__only_what_can__says_where(void **state UNUSED)
{
    static const struct {
        const char *pattern;
        bool is_regex;
        const char *line;
        int rc;
    } rows[] = {
        {"^$", true, "", 0},       {"^$", true, "x", ERR_END}, {"x*", true, "aaa", 0},
        {"x+", true, "", ERR_END}, {"x", false, "", ERR_END},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct pattern *p = make(rows[i].pattern, rows[i].is_regex, false);
        assert_int_equal(pattern_matches_empty(p, rows[i].line, strlen(rows[i].line)), rows[i].rc);
        pattern_free(p);
    }
}

static void test_pattern_may_occur__plain_text__only_where_it_is(void **state UNUSED)
{
    struct pattern *p = make("needle", false, false);
    assert_true(pattern_may_occur(p, "hayneedlehay", 12));
    assert_false(pattern_may_occur(p, "hayneedl", 8));
    assert_false(pattern_may_occur(p, "nee", 3));
    pattern_free(p);
    p = make("needle", false, true); /* not looked for in the bytes: it may be written otherwise */
    assert_true(pattern_may_occur(p, "nee", 3));
    pattern_free(p);
    p = make("needle", true, false);
    assert_true(pattern_may_occur(p, "nee", 3));
    pattern_free(p);
    pattern_free(NULL);
}

static void test_pattern_new__length__up_to_the_limit(void **state UNUSED)
{
    char text[PATTERN_BYTES_MAX + 2];
    struct pattern *p = NULL;
    struct problem problem = {0};
    memset(text, 'a', sizeof text);
    text[PATTERN_BYTES_MAX + 1] = '\0';
    for (int is_regex = 0; is_regex < 2; is_regex++) {
        assert_int_equal(pattern_new(text, is_regex, false, &p, &problem), ERR_INVALID);
        assert_non_null(strstr(problem.details, is_regex ? "regex must be" : "q must be"));
        pattern_free(make(text + 1, is_regex, false));
    }
}

static void test_pattern_new__no_memory__says_so(void **state UNUSED)
{
    static const bool kinds[][2] = {{false, false}, {false, true}, {true, false}, {true, true}};
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        for (unsigned n = 1; fail_alloc_at(n); n++) {
            struct pattern *p = NULL;
            struct problem problem = {0};
            int rc = pattern_new("a(b)+c", kinds[i][0], kinds[i][1], &p, &problem);
            assert_int_equal(rc, fail_alloc_off() ? ERR_NOMEM : 0);
            if (rc < 0)
                assert_string_equal(problem.details, "out of memory");
            pattern_free(p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pattern__expensive__given_up_in_time),
        cmocka_unit_test(test_pattern__hostile_bytes__matches_lie_inside),
        cmocka_unit_test(test_pattern_new__bad__told_where),
        cmocka_unit_test(test_pattern_next__texts_and_expressions__every_match),
        cmocka_unit_test(test_pattern_matches_empty__only_what_can__says_where),
        cmocka_unit_test(test_pattern_may_occur__plain_text__only_where_it_is),
        cmocka_unit_test(test_pattern_new__length__up_to_the_limit),
        cmocka_unit_test(test_pattern_new__no_memory__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
