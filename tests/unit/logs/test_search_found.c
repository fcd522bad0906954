/* What was found keeps its own bytes, and counts places as JavaScript does. */
#include "logs/search_found.h"

#include "tests/unit/base/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct search_line line(uint64_t seq, const char *text)
{
    return (struct search_line){.first_seq = seq,
                                .last_seq = seq,
                                .time_us = 5,
                                .stream = 1,
                                .text = text,
                                .len = strlen(text),
                                .matches = 1};
}

static void test_found_add_line__many__all_kept_in_order(void **state)
{
    struct found f;
    found_init(&f);
    for (uint64_t seq = 1; seq <= 500; seq++) {
        char text[32];
        (void)snprintf(text, sizeof text, "line %d", (int)seq);
        struct search_line l = line(seq, seq % 10 == 0 ? "" : text);
        for (size_t k = 0; l.len > 0 && k < seq % 3; k++)
            assert_int_equal(found_add_span(&f, k, k + 1), 0);
        assert_int_equal(found_add_line(&f, &l), 0);
        memset(text, 'x', sizeof text);
    }
    const struct search_line *lines = found_lines(&f);
    assert_int_equal(f.n, 500);
    for (uint64_t seq = 1; seq <= 500; seq++) {
        const struct search_line *l = &lines[seq - 1];
        char text[32];
        (void)snprintf(text, sizeof text, "line %d", (int)seq);
        assert_int_equal(l->first_seq, seq);
        assert_int_equal(l->len, seq % 10 == 0 ? 0 : strlen(text));
        assert_memory_equal(l->text, text, l->len);
        assert_int_equal(l->n_spans, l->len > 0 ? seq % 3 : 0);
        assert_int_equal(l->spans != NULL, l->n_spans > 0);
        for (size_t k = 0; k < l->n_spans; k++)
            assert_true(l->spans[k].start == k && l->spans[k].end == k + 1);
    }
    found_done(&f);
    assert_true(f.n == 0 && !f.lines && !f.spans);
    (void)state;
}

static void test_found_add_span__bytes__become_utf16_units(void **state)
{
    static const struct {
        const char *text;
        size_t start, end;
        uint32_t unit_start, unit_end;
    } ROWS[] = {
        {"abc", 1, 2, 1, 2},
        {"\303\274x", 2, 3, 1, 2},         /* two bytes, one unit */
        {"\342\202\254x", 3, 4, 1, 2},     /* three bytes, one unit */
        {"\360\237\230\200x", 4, 5, 2, 3}, /* four bytes, a surrogate pair */
        {"\360\237\230\200x", 0, 4, 0, 2},
        {"\377\377x", 2, 3, 2, 3}, /* each wrong byte is a U+FFFD */
        {"abc", 3, 3, 3, 3},
    };
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct found f;
        struct search_line l = line(1, ROWS[i].text);
        found_init(&f);
        assert_int_equal(found_add_span(&f, ROWS[i].start, ROWS[i].end), 0);
        assert_int_equal(found_add_line(&f, &l), 0);
        const struct search_span *s = found_lines(&f)[0].spans;
        assert_int_equal(s->start, ROWS[i].unit_start);
        assert_int_equal(s->end, ROWS[i].unit_end);
        found_done(&f);
    }
    (void)state;
}

static void test_found_forget_spans__since_the_last_line__only_those(void **state)
{
    struct found f;
    struct search_line a = line(1, "first"), b = line(2, "second");
    found_init(&f);
    assert_int_equal(found_bytes(&f), 0);
    assert_int_equal(found_add_span(&f, 0, 1), 0);
    assert_int_equal(found_add_line(&f, &a), 0);
    size_t bytes = found_bytes(&f);
    assert_int_equal(bytes, 5 + sizeof(struct search_span));
    assert_int_equal(found_add_span(&f, 1, 2), 0);
    assert_int_equal(found_add_span(&f, 2, 3), 0);
    found_forget_spans(&f);
    assert_int_equal(found_bytes(&f), bytes);
    assert_int_equal(found_add_span(&f, 3, 4), 0);
    assert_int_equal(found_add_line(&f, &b), 0);
    const struct search_line *lines = found_lines(&f);
    assert_true(lines[0].n_spans == 1 && lines[0].spans[0].start == 0);
    assert_true(lines[1].n_spans == 1 && lines[1].spans[0].start == 3);
    found_done(&f);
    (void)state;
}

static void test_found_add__no_memory__says_so(void **state)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct found f;
        struct search_line l = line(1, "text");
        int rc = 0;
        found_init(&f);
        for (int i = 0; i < 100 && rc == 0; i++) {
            rc = found_add_span(&f, 0, 1);
            if (rc == 0)
                rc = found_add_line(&f, &l);
        }
        assert_int_equal(rc, fail_alloc_off() ? ERR_NOMEM : 0);
        found_done(&f);
    }
    (void)state;
}

static void test_found_add_line__more_than_a_page__refused(void **state)
{
    static char text[SEARCH_JOIN_BYTES];
    struct found f;
    struct search_line l = {.text = text, .len = sizeof text};
    int rc = 0;
    size_t n = 0;
    found_init(&f);
    while ((rc = found_add_line(&f, &l)) == 0)
        n++;
    assert_int_equal(rc, ERR_NOMEM);
    assert_int_equal(n, SEARCH_STREAMS + 1);
    found_done(&f);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_add_line__many__all_kept_in_order),
        cmocka_unit_test(test_found_add_span__bytes__become_utf16_units),
        cmocka_unit_test(test_found_forget_spans__since_the_last_line__only_those),
        cmocka_unit_test(test_found_add__no_memory__says_so),
        cmocka_unit_test(test_found_add_line__more_than_a_page__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
