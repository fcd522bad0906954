/*
 * The scan against a simple model: random lines of three streams, parts among them, cut into chunks
 * and pages at random, both directions.
 */
#include "logs/search_scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RECORDS 400
#define NEVER INT64_MAX

struct record {
    uint8_t stream;
    bool goes_on;
    char text[12];
};

struct log {
    struct record records[RECORDS];
    struct chunk *chunks[RECORDS];
    size_t n_chunks;
};

struct hit {
    uint64_t first, last;
    char text[4096];
};

static uint32_t seed;

static uint32_t draw(uint32_t n)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % n;
}

static void build_chunk(struct log *l, size_t from, size_t n)
{
    struct chunk_builder *b = NULL;
    assert_int_equal(chunk_builder_new(&b), 0);
    for (size_t i = from; i < from + n; i++) {
        const struct record *r = &l->records[i];
        assert_int_equal(chunk_builder_add(b, 1000, r->stream, r->goes_on ? LINE_PART : 0, r->text,
                                           strlen(r->text)),
                         0);
    }
    assert_int_equal(chunk_builder_finish(b, 7, from + 1, &l->chunks[l->n_chunks++]), 0);
    chunk_builder_free(b);
}

static void build(struct log *l)
{
    static const char *const texts[] = {"",         "a",        "needle", "nee", "dle",
                                        "xneedley", "\303\274", "\377",   "e"};
    static const uint8_t streams[] = {STREAM_STDOUT, STREAM_STDERR, STREAM_SYSTEM};
    l->n_chunks = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        struct record *r = &l->records[i];
        r->stream = streams[draw(3)];
        r->goes_on = draw(3) == 0;
        strcpy(r->text, texts[draw(sizeof texts / sizeof *texts)]); /* NOLINT: constants that fit */
    }
    for (size_t at = 0; at < RECORDS;) {
        size_t n = 1 + draw(20);
        if (n > RECORDS - at)
            n = RECORDS - at;
        build_chunk(l, at, n);
        at += n;
    }
}

static void drop(struct log *l)
{
    for (size_t i = 0; i < l->n_chunks; i++)
        chunk_unref(l->chunks[i]);
}

/* Whole lines that hold "needle", by their ends. */
static size_t expect(const struct log *l, struct hit *hits)
{
    size_t n = 0;
    for (size_t end = 0; end < RECORDS; end++) {
        const struct record *e = &l->records[end];
        bool is_last = true;
        for (size_t k = end + 1; k < RECORDS; k++)
            is_last = is_last && l->records[k].stream != e->stream;
        if (e->goes_on && !is_last)
            continue;
        struct hit h = {.first = end + 1, .last = end + 1};
        for (size_t k = end; k-- > 0;) {
            if (l->records[k].stream != e->stream)
                continue;
            if (!l->records[k].goes_on)
                break;
            h.first = k + 1;
        }
        for (size_t k = h.first - 1; k <= end; k++) {
            if (l->records[k].stream == e->stream)
                strcat(h.text, l->records[k].text); /* NOLINT: 400 of 11 bytes fit */
        }
        if (strstr(h.text, "needle"))
            hits[n++] = h;
    }
    return n;
}

/* One page from `from` on; *ret_n hits are added behind those that are there. */
static bool read_page(const struct log *l, struct pattern *p, struct search_position *from,
                      bool backward, size_t limit, struct hit *hits, size_t *ret_n)
{
    const struct scan_opts opts = {.pattern = p,
                                   .from = *from,
                                   .last_seq = RECORDS,
                                   .limit = limit,
                                   .backward = backward,
                                   .ended = true};
    struct scan *s = NULL;
    struct search_page page;
    int rc = 0;
    assert_int_equal(scan_new(&opts, &s), 0);
    for (size_t i = 0; i < l->n_chunks && rc == 0; i++) {
        const struct chunk *c = l->chunks[backward ? l->n_chunks - 1 - i : i];
        do {
            rc = scan_chunk(s, c, draw(2) ? 0 : NEVER, draw(4) ? NEVER : 0);
        } while (rc == ERR_AGAIN);
    }
    if (rc == 0)
        rc = scan_finish(s);
    assert_true(rc == 0 || rc == ERR_END || rc == ERR_TIMEOUT);
    scan_page(s, &page);
    assert_int_equal(page.n, page.n_lines);
    for (size_t i = 0; i < page.n; i++) {
        struct hit *h = &hits[(*ret_n)++];
        h->first = page.lines[i].first_seq;
        h->last = page.lines[i].last_seq;
        memcpy(h->text, page.lines[i].text, page.lines[i].len);
        h->text[page.lines[i].len] = '\0';
        assert_true(page.lines[i].n_spans >= 1 && page.lines[i].n_spans == page.lines[i].matches);
    }
    *from = page.position;
    scan_free(s);
    return page.more;
}

static int by_last(const void *a, const void *b)
{
    const struct hit *x = a, *y = b;
    return x->last < y->last ? -1 : x->last > y->last;
}

static void test_scan__random_logs_and_pages__as_the_model(void **state UNUSED)
{
    static struct hit want[RECORDS], have[2 * RECORDS];
    static const char *const questions[][2] = {
        {"needle", ""}, {"needle", "regex"}, {"n[e]{2}dle", "regex"}};
    for (unsigned round = 0; round < 300; round++) {
        struct log l;
        struct pattern *p = NULL;
        struct problem problem;
        seed = round;
        build(&l);
        size_t n_want = expect(&l, want);
        const char *const *q = questions[round % 3];
        assert_int_equal(pattern_new(q[0], q[1][0] != '\0', false, &p, &problem), 0);
        for (int backward = 0; backward < 2; backward++) {
            struct search_position at = {{0, 0, 0}};
            size_t n = 0, pages = 0;
            if (backward)
                at = (struct search_position){{RECORDS + 1, RECORDS + 1, RECORDS + 1}};
            while (read_page(&l, p, &at, backward, 1 + draw(30), have, &n))
                assert_true(++pages <= 2 * RECORDS);
            qsort(have, n, sizeof *have, by_last);
            assert_int_equal(n, n_want);
            for (size_t i = 0; i < n; i++) {
                assert_int_equal(have[i].first, want[i].first);
                assert_int_equal(have[i].last, want[i].last);
                assert_string_equal(have[i].text, want[i].text);
            }
        }
        pattern_free(p);
        drop(&l);
    }
}

/* ---- joining has its bounds ---- */

static void test_scan__line_without_end__searched_in_pieces(void **state UNUSED)
{
    static char text[CHUNK_BYTES_MAX];
    struct pattern *p = NULL;
    struct problem problem;
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 6, "needle", 6);
    assert_int_equal(pattern_new("needle", false, false, &p, &problem), 0);
    for (int backward = 0; backward < 2; backward++) {
        const struct scan_opts opts = {
            .pattern = p,
            .from = {{backward ? 41 : 0, backward ? 41 : 0, backward ? 41 : 0}},
            .last_seq = 40,
            .limit = 100,
            .backward = backward,
            .ended = true};
        struct scan *s = NULL;
        struct search_page page;
        assert_int_equal(scan_new(&opts, &s), 0);
        int rc = 0;
        for (size_t i = 1; i <= 40 && rc == 0; i++) {
            struct chunk_builder *b = NULL;
            struct chunk *c = NULL;
            assert_int_equal(chunk_builder_new(&b), 0);
            assert_int_equal(chunk_builder_add(b, 1, STREAM_STDOUT, LINE_PART, text, sizeof text),
                             0);
            assert_int_equal(chunk_builder_finish(b, 7, backward ? 41 - i : i, &c), 0);
            rc = scan_chunk(s, c, NEVER, NEVER);
            chunk_unref(c);
            chunk_builder_free(b);
        }
        assert_int_equal(rc, ERR_END); /* the first piece is 1 MiB: a page's worth */
        scan_page(s, &page);
        assert_int_equal(page.n, 1);
        assert_int_equal(page.lines[0].len, SEARCH_JOIN_BYTES);
        assert_int_equal(page.matches, 16);
        assert_true(page.more);
        scan_free(s);
    }
    pattern_free(p);
}

static void test_scan__expression_too_expensive__line_named(void **state UNUSED)
{
    static char text[2000];
    struct pattern *p = NULL;
    struct problem problem;
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL;
    struct scan *s = NULL;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    assert_int_equal(pattern_new("(a+)+$", true, false, &p, &problem), 0);
    assert_int_equal(chunk_builder_new(&b), 0);
    assert_int_equal(chunk_builder_add(b, 1, STREAM_STDOUT, 0, "b", 1), 0);
    assert_int_equal(chunk_builder_add(b, 1, STREAM_STDOUT, 0, text, sizeof text), 0);
    assert_int_equal(chunk_builder_finish(b, 7, 1, &c), 0);
    const struct scan_opts opts = {.pattern = p, .last_seq = 2, .limit = 10};
    assert_int_equal(scan_new(&opts, &s), 0);
    assert_int_equal(scan_chunk(s, c, NEVER, NEVER), ERR_LIMIT);
    assert_int_equal(scan_seq(s), 2);
    scan_free(s);
    chunk_unref(c);
    chunk_builder_free(b);
    pattern_free(p);
}

static void test_scan__spans__utf16_and_empty_and_counted(void **state UNUSED)
{
    static const char line[] = "\360\237\230\200x\377\303\274x";
    struct problem problem;
    for (int count_only = 0; count_only < 2; count_only++) {
        for (int is_empty = 0; is_empty < 2; is_empty++) {
            struct pattern *p = NULL;
            struct chunk_builder *b = NULL;
            struct chunk *c = NULL;
            struct scan *s = NULL;
            struct search_page page;
            assert_int_equal(pattern_new(is_empty ? "^$|^\\b" : "X", true, true, &p, &problem), 0);
            assert_int_equal(chunk_builder_new(&b), 0);
            assert_int_equal(chunk_builder_add(b, 1, STREAM_STDERR, 0, is_empty ? "" : line,
                                               is_empty ? 0 : sizeof line - 1),
                             0);
            assert_int_equal(chunk_builder_finish(b, 7, 1, &c), 0);
            const struct scan_opts opts = {
                .pattern = p, .last_seq = 1, .limit = 10, .count_only = count_only};
            assert_int_equal(scan_new(&opts, &s), 0);
            assert_int_equal(scan_chunk(s, c, NEVER, NEVER), 0);
            assert_int_equal(scan_finish(s), 0);
            scan_page(s, &page);
            assert_int_equal(page.matches, is_empty ? 1 : 2);
            assert_int_equal(page.n_lines, 1);
            assert_int_equal(page.n, !count_only);
            assert_false(page.more);
            if (!count_only && !is_empty) {
                const struct search_span *spans = page.lines[0].spans;
                assert_int_equal(page.lines[0].n_spans, 2);
                assert_true(spans[0].start == 2 && spans[0].end == 3);
                assert_true(spans[1].start == 5 && spans[1].end == 6);
            }
            scan_free(s);
            chunk_unref(c);
            chunk_builder_free(b);
            pattern_free(p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scan__random_logs_and_pages__as_the_model),
        cmocka_unit_test(test_scan__line_without_end__searched_in_pieces),
        cmocka_unit_test(test_scan__expression_too_expensive__line_named),
        cmocka_unit_test(test_scan__spans__utf16_and_empty_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
