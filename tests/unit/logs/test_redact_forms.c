/* Every form in which a secret is found, in lines that go through a redaction. */
#include "logs/redact_forms.h"

#include "base/err.h"
#include "logs/redaction.h"
#include "tests/unit/base/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct redactor *redactor_of(const char *value)
{
    const struct redact_value v = {value, strlen(value)};
    struct redactor *r = NULL;
    assert_int_equal(redactor_new(&v, 1, REDACT_FORMS_MAX, &r), 0);
    assert_non_null(r);
    return r;
}

/* The line as it comes out. */
static void check(const char *value, const char *line, const char *expected)
{
    struct redaction *x = NULL;
    assert_int_equal(redaction_new(redactor_of(value), 65536, false, &x), 0);
    struct redaction_line l = {.stream = 'o', .p = (const uint8_t *)line, .len = strlen(line)};
    if (!redaction_is_clean(x, &l)) {
        assert_int_equal(redaction_put(x, &l), 0);
        assert_int_equal(redaction_peek(x, &l), 0);
    }
    if (l.len != strlen(expected) || memcmp(l.p, expected, l.len) != 0)
        fail_msg("%s in %s: got %.*s, not %s", value, line, (int)l.len, (const char *)l.p,
                 expected);
    redaction_free(x);
}

static void test_redact_forms__each_form__is_found(void **state)
{
    static const struct {
        const char *value, *line, *expected;
    } ROWS[] = {
        {"hunter22", "the password is hunter22!", "the password is ***!"},
        {"hunter22", "hunter22hunter22", "******"},
        {"hunter22", "hunter2", "hunter2"},
        {"hunter22", "Hunter22", "Hunter22"},
        {"aaaaaa", "aaaaaaaa", "***"},
        {"  padded value ", "x padded value x", "x *** x"},
        {"hunter22\n", "hunter22", "***"},
        /* base64, three alignments, both alphabets, with and without padding; what the outermost
         * bits make of their characters stays */
        {"hunter22", "aHVudGVyMjI=", "***I="},
        {"hunter22", "aHVudGVyMjI", "***I"},
        {"hunter22", "eGh1bnRlcjIy", "eG***"},
        {"hunter22", "eHhodW50ZXIyMg==", "eHh***g=="},
        {"hunter22", "eHh4aHVudGVyMjJ4eHg=", "eHh4***J4eHg="},
        {"\xff\xfe\xfd\xfb\xef\xbe", "//79+++++", "***+"},
        {"\?\?\?>>>", "Pz8/Pj4+", "***"},
        {"\?\?\?>>>", "Pz8_Pj4-", "***"},
        {"\?\?\?>>>", "Pz8_Pj4+", "***"},
        /* URL */
        {"p@ss w/rd", "p%40ss%20w%2Frd", "***"},
        {"p@ss w/rd", "p%40ss+w%2frd", "***"},
        {"p@ss w/rd", "p%40ss%20w/rd", "***"},
        {"p@ss w/rd", "p@ss%20w/rd", "***"},
        {"it's(1)!", "it's(1)!", "***"},
        {"it's(1)!", "it%27s%281%29%21", "***"},
        {"a-b.c~d", "a%2Db%2Ec%7Ed", "***"},
        {"pa%ss%w", "pa%25ss%25w", "***"},
        /* JSON */
        {"a\"b\\c/d", "{\"v\":\"a\\\"b\\\\c/d\"}", "{\"v\":\"***\"}"},
        {"a\"b\\c/d", "{\"v\":\"a\\\"b\\\\c\\/d\"}", "{\"v\":\"***\"}"},
        {"line 1\nline 2", "\"line 1\\nline 2\"", "\"***\""},
        {"tab\tq\x01z", "tab\\tq\\u0001z", "***"},
        {"stra\xc3\x9f"
         "e",
         "\"stra\\u00dfe\"", "\"***\""},
        {"stra\xc3\x9f"
         "e",
         "\"stra\\u00DFe\"", "\"***\""},
        {"stra\xc3\x9f"
         "e",
         "stra\xc3\x9f"
         "e",
         "***"},
        {"smile \xf0\x9f\x98\x80", "smile \\ud83d\\ude00", "***"},
        {"broken\xc3(\xff", "broken\xc3(\xff", "***"},
        {"a<b>&c'd", "a\\u003cb\\u003e\\u0026c'd", "***"},
        /* several lines, each by itself; blank ones and short ones not */
        {"first line\n  second line\r\n\n        \nabc", "x second line y", "x *** y"},
        {"first line\n  second line\r\n\n        \nabc", "first line", "***"},
        {"first line\n  second line\r\n\n        \nabc", "        abc", "        abc"},
        {"first line\n  second line\r\n\n        \nabc", "c2Vjb25kIGxpbmU", "***U"},
        {"abcdef\nlonger\n  tail line", "tail line", "***"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++)
        check(ROWS[i].value, ROWS[i].line, ROWS[i].expected);
    (void)state;
}

static void test_redact_forms__long_value__is_one_mask(void **state)
{
    char value[5001], line[5003];
    for (size_t n = 1000; n <= 5000; n += 250) {
        for (size_t i = 0; i < n; i++)
            value[i] = (char)('a' + (i * i / 7 + i) % 26);
        value[n] = '\0';
        line[0] = '<';
        memcpy(line + 1, value, n);
        memcpy(line + 1 + n, ">", 2);
        check(value, line, "<***>");
    }
    (void)state;
}

static int add(const char *value, size_t len, size_t nodes_max, size_t *ret_nodes)
{
    struct automaton *a = NULL;
    int rc = automaton_new(nodes_max, &a);
    if (rc == 0)
        rc = redact_forms_add(a, (const uint8_t *)value, len);
    if (rc == 0)
        *ret_nodes = automaton_nodes(a);
    automaton_free(a);
    return rc;
}

static void test_redact_forms_add__limit__counts_every_form(void **state)
{
    static const char *const VALUES[] = {"hunter22", "p@ss w/rd", "first line\nhunter <22>/\"",
                                         "stra\xc3\x9f"
                                         "e"};
    for (size_t i = 0; i < ARRAY_SIZE(VALUES); i++) {
        size_t nodes = 0, len = strlen(VALUES[i]);
        assert_int_equal(add(VALUES[i], len, REDACT_FORMS_MAX, &nodes), 0);
        assert_true(nodes > 3 * len);
        size_t enough = nodes;
        while (add(VALUES[i], len, enough, &nodes) < 0)
            enough++;
        assert_true(enough <= nodes + 1);
        for (size_t less = 1; less < enough; less++)
            assert_int_equal(add(VALUES[i], len, less, &nodes), ERR_LIMIT);
    }
    (void)state;
}

static void test_redact_forms_add__nothing_long_enough__adds_nothing(void **state)
{
    static const char *const VALUES[] = {"", "short", "a\nb\nc", "\n\n"};
    size_t none = 0, nodes = 0;
    struct automaton *a = NULL;
    assert_int_equal(automaton_new(REDACT_FORMS_MAX, &a), 0);
    none = automaton_nodes(a);
    automaton_free(a);
    for (size_t i = 0; i < ARRAY_SIZE(VALUES); i++) {
        assert_int_equal(add(VALUES[i], strlen(VALUES[i]), REDACT_FORMS_MAX, &nodes), 0);
        assert_int_equal(nodes, none);
    }
    /* Of blanks alone there is nothing to trim to: they are taken as they are. */
    assert_int_equal(add("        ", 8, REDACT_FORMS_MAX, &nodes), 0);
    assert_true(nodes > none);
    (void)state;
}

static void test_redact_forms_add__no_memory__says_so(void **state)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        size_t nodes = 0;
        int rc = add("first line\nhunter <22>/\"\xc3\x9f", 25, REDACT_FORMS_MAX, &nodes);
        assert_int_equal(rc, fail_alloc_off() ? ERR_NOMEM : 0);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redact_forms__each_form__is_found),
        cmocka_unit_test(test_redact_forms__long_value__is_one_mask),
        cmocka_unit_test(test_redact_forms_add__limit__counts_every_form),
        cmocka_unit_test(test_redact_forms_add__nothing_long_enough__adds_nothing),
        cmocka_unit_test(test_redact_forms_add__no_memory__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
