/* The line cutter: whatever way the bytes come in pieces, joining gives them back. */
#include "runner/lines.h"

#include "spooled.h"

static struct lines cutter;

static void assert_joined(struct spooled *s, const char *bytes, size_t n, size_t records)
{
    size_t got_n = 0;
    size_t got_records = 0;
    outlet_flush(&s->out, INT64_MAX);
    char *got = spooled_joined(s, 'o', &got_n, &got_records);
    assert_int_equal(got_n, n);
    assert_memory_equal(got, bytes, n);
    if (records != SIZE_MAX)
        assert_int_equal(got_records, records);
    free(got);
}

static void test_lines__table__records_and_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t records;
    } rows[] = {
        {"", 0},         {"\n", 1},           {"a", 1},
        {"a\n", 1},      {"a\nb", 2},         {"\n\n", 2},
        {"a\r\nb\r", 2}, {"\r\r\r\n\r\n", 2}, {"one\n\nthree", 3},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].bytes);
        for (size_t piece = 1; piece <= n + 1; piece++) {
            struct spooled s;
            spooled_init(&s, 1u << 20);
            lines_init(&cutter, 'o');
            for (size_t at = 0; at < n; at += piece) {
                size_t k = n - at < piece ? n - at : piece;
                assert_int_equal(
                    lines_feed(&cutter, &s.out, (const uint8_t *)rows[i].bytes + at, k), k);
            }
            assert_int_equal(lines_end(&cutter, &s.out), 0);
            assert_joined(&s, rows[i].bytes, n, rows[i].records);
            spooled_done(&s);
        }
    }
    (void)state;
}

/* Parts given out between any two pieces change the records, never the bytes. */
static void test_lines__parts_in_between__same_bytes(void **state)
{
    static const char text[] = "ab\n\nc\r\n\ndef";
    size_t n = sizeof(text) - 1;
    for (unsigned mask = 0; mask < 1u << n; mask++) {
        struct spooled s;
        spooled_init(&s, 1u << 20);
        lines_init(&cutter, 'o');
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(lines_feed(&cutter, &s.out, (const uint8_t *)text + i, 1), 1);
            if ((mask >> i & 1u) != 0)
                lines_give_part(&cutter, &s.out);
        }
        assert_int_equal(lines_end(&cutter, &s.out), 0);
        assert_joined(&s, text, n, SIZE_MAX);
        spooled_done(&s);
    }
    (void)state;
}

static void test_lines__around_the_maximum__cut_only_past_it(void **state)
{
    static const struct {
        size_t len;
        bool newline;
        size_t records;
    } rows[] = {
        {SPOOL_LINE_MAX - 1, true, 1},     {SPOOL_LINE_MAX, true, 1},
        {SPOOL_LINE_MAX + 1, true, 2},     {2 * SPOOL_LINE_MAX, true, 2},
        {2 * SPOOL_LINE_MAX + 1, true, 3}, {SPOOL_LINE_MAX, false, 1},
        {SPOOL_LINE_MAX + 1, false, 2},
    };
    static const size_t pieces[] = {1000, 4096, SPOOL_LINE_MAX, 3 * SPOOL_LINE_MAX};
    char *text = malloc(3 * SPOOL_LINE_MAX);
    assert_non_null(text);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t p = 0; p < 4; p++) {
            struct spooled s;
            spooled_init(&s, 1u << 24);
            lines_init(&cutter, 'o');
            memset(text, 'x', rows[i].len);
            text[rows[i].len] = '\n';
            size_t n = rows[i].len + rows[i].newline;
            for (size_t at = 0; at < n;) {
                size_t k = n - at < pieces[p] ? n - at : pieces[p];
                at += lines_feed(&cutter, &s.out, (const uint8_t *)text + at, k);
            }
            assert_int_equal(lines_end(&cutter, &s.out), 0);
            assert_joined(&s, text, n, rows[i].records);
            spooled_done(&s);
        }
    }
    free(text);
    (void)state;
}

/* An outlet without room takes nothing; afterwards it goes on where it stopped. */
static void test_lines__no_room__repeatable(void **state)
{
    struct spooled s;
    static char text[600000];
    size_t at = 0;
    size_t stops = 0;
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 977 == 976 ? '\n' : (char)('a' + i % 26);
    memset(text + 100000, 'L', 150000); /* and a line that is cut */
    spooled_init(&s, 1u << 24);
    lines_init(&cutter, 'o');
    while (at < sizeof(text)) {
        s.out.error = -ENOSPC; /* blocked: nothing is written until the time has come */
        s.out.retry_at_ms = INT64_MAX;
        at += lines_feed(&cutter, &s.out, (const uint8_t *)text + at, sizeof(text) - at);
        stops++;
        if (at == sizeof(text))
            assert_true(lines_end(&cutter, &s.out) == 0 || stops > 0);
        outlet_flush(&s.out, INT64_MAX);
    }
    assert_true(stops > 2);
    assert_int_equal(lines_end(&cutter, &s.out), 0);
    assert_joined(&s, text, sizeof(text), SIZE_MAX);
    spooled_done(&s);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines__table__records_and_bytes),
        cmocka_unit_test(test_lines__parts_in_between__same_bytes),
        cmocka_unit_test(test_lines__around_the_maximum__cut_only_past_it),
        cmocka_unit_test(test_lines__no_room__repeatable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
