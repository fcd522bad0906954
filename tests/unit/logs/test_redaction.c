/* Lines that wait, are cut, wrapped, forced and begun anew. */
#include "logs/redaction.h"

#include "base/buf.h"
#include "base/err.h"
#include "tests/support/redaction_check.h"
#include "tests/unit/base/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECRET "hunter22"

static struct redaction *make(const char *value, bool is_begun)
{
    const struct redact_value v = {value, strlen(value)};
    struct redactor *r = NULL;
    struct redaction *x = NULL;
    assert_int_equal(redactor_new(&v, 1, REDACT_FORMS_MAX, &r), 0);
    assert_int_equal(redaction_new(r, 65536, is_begun, &x), 0);
    return x;
}

/* "o+text": a part of stdout; "o.text": the end of a line. */
static int put(struct redaction *x, const char *record)
{
    const struct redaction_line l = {
        .stream = (uint8_t)record[0],
        .flags = record[1] == '+' ? LINE_PART : 0,
        .p = (const uint8_t *)record + 2,
        .len = strlen(record + 2),
    };
    if (redaction_is_clean(x, &l)) {
        redaction_passed(x, &l);
        return 1;
    }
    assert_int_equal(redaction_put(x, &l), 0);
    return 0;
}

/* All that comes out now, one after the other, each with a '|' behind it. */
static void expect(struct redaction *x, const char *expected)
{
    struct buf out CLEANUP_BUF = {.max = 1u << 20};
    struct redaction_line l;
    while (redaction_peek(x, &l) == 0) {
        assert_int_equal(buf_append(&out, l.p, l.len), 0);
        assert_int_equal(buf_append_char(&out, '|'), 0);
        redaction_pop(x);
    }
    assert_string_equal(out.data ? out.data : "", expected);
}

static void test_redaction__secret_in_single_bytes__mask_in_the_first(void **state)
{
    static const char *const PARTS[] = {"o+h", "o+u", "o+n", "o+t", "o+e", "o+r", "o+2"};
    struct redaction *x = make(SECRET, false);
    for (size_t i = 0; i < ARRAY_SIZE(PARTS); i++) {
        assert_int_equal(put(x, PARTS[i]), 0);
        expect(x, "");
    }
    assert_int_equal(put(x, "o+2"), 0);
    expect(x, "***||||||||");
    assert_int_equal(put(x, "o+abc"), 1);
    assert_int_equal(redaction_bytes(x), 0);
    redaction_free(x);
    (void)state;
}

static void test_redaction__no_secret_after_all__comes_out_as_it_was(void **state)
{
    struct redaction *x = make(SECRET, false);
    assert_int_equal(put(x, "o+say hunt"), 0);
    assert_int_equal(put(x, "e.another stream waits behind it"), 0);
    assert_int_equal(put(x, "s.and system lines"), 0);
    expect(x, "");
    assert_true(redaction_bytes(x) > 0);
    assert_int_equal(put(x, "o.ing season"), 0);
    expect(x, "say hunt|another stream waits behind it|and system lines|ing season|");
    redaction_free(x);
    (void)state;
}

static void test_redaction__streams__never_make_one_secret_together(void **state)
{
    struct redaction *x = make(SECRET, false);
    put(x, "o+hunt");
    put(x, "e+er22");
    put(x, "o.!");
    put(x, "e.!");
    expect(x, "hunt|er22|!|!|");
    redaction_free(x);
    (void)state;
}

static void test_redaction__line_end__ends_the_search(void **state)
{
    struct redaction *x = make(SECRET, false);
    assert_int_equal(put(x, "o.hunt"), 1);
    assert_int_equal(put(x, "o.er22"), 1);
    redaction_free(x);
    (void)state;
}

static void test_redaction__finish__nothing_waits(void **state)
{
    struct redaction *x = make(SECRET, false);
    put(x, "o+hunter2");
    redaction_finish(x);
    expect(x, "hunter2|");
    redaction_free(x);
    (void)state;
}

static void test_redaction_force__open_end__is_masked_and_the_rest_too(void **state)
{
    struct redaction *x = make(SECRET, false);
    struct redaction_marks marks;
    put(x, "o+say hunt");
    put(x, "e.flood");
    assert_int_equal(redaction_force(x), 0);
    expect(x, "say ***|flood|");
    redaction_marks(x, &marks);
    assert_int_not_equal(marks.state[0], 0);
    assert_int_equal(marks.state[1], 0);
    /* Others pass now; the rest of it does not. */
    assert_int_equal(put(x, "e.more"), 1);
    put(x, "o+er22 is");
    expect(x, " is|");
    redaction_marks(x, &marks);
    assert_int_equal(marks.state[0], 0);
    redaction_free(x);
    (void)state;
}

static void test_redaction_force__no_secret_after_all__the_rest_is_shown(void **state)
{
    struct redaction *x = make(SECRET, false);
    put(x, "o+say hunt");
    assert_int_equal(redaction_force(x), 0);
    expect(x, "say ***|");
    put(x, "o.ing season");
    expect(x, "ing season|");
    redaction_free(x);
    (void)state;
}

static void test_redaction_restore__inside_a_secret__masks_its_rest(void **state)
{
    struct redaction *x = make(SECRET, false);
    struct redaction_marks marks;
    uint8_t text[REDACT_PIECE];
    put(x, "e+hunter");
    assert_int_equal(redaction_force(x), 0);
    expect(x, "***|");
    redaction_marks(x, &marks);
    size_t len = redaction_mark_text(x, marks.state[1], text);
    assert_int_equal(len, 6);
    assert_memory_equal(text, "hunter", 6);
    redaction_free(x);

    x = make(SECRET, true);
    redaction_restore(x, 1, text, len);
    put(x, "e.22 and " SECRET);
    expect(x, " and ***|");
    redaction_free(x);
    (void)state;
}

static void test_redaction__full_line_ends_in_a_beginning__mask_is_cut(void **state)
{
    static char part[65536 + 3] = "o+";
    struct redaction *x = make(SECRET, false);
    memset(part + 2, 'x', 65536);
    part[65536 + 1] = 'h';
    put(x, part);
    put(x, "o.unter22");
    struct redaction_line l;
    assert_int_equal(redaction_peek(x, &l), 0);
    assert_int_equal(l.len, 65536);
    assert_memory_equal(l.p + 65534, "x*", 2);
    redaction_pop(x);
    expect(x, "|");
    redaction_free(x);
    (void)state;
}

/* base64 -w WIDTH of a long secret behind some other bytes. */
static void check_wrapped(unsigned width)
{
    char value[200], record[128];
    struct redaction *x;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char base64[300];
    size_t n = 0, len = 150;
    for (size_t i = 0; i < len; i++)
        value[i] = (char)(33 + i * 7 % 90);
    value[len] = '\0';
    for (size_t i = 0; i < len; i += 3) {
        unsigned three =
            (unsigned)value[i] << 16 | (unsigned)value[i + 1] << 8 | (unsigned)value[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            base64[n++] = digits[three >> shift & 63u];
    }
    x = make(value, false);
    for (size_t at = 0; at < n; at += width) {
        size_t piece = n - at < width ? n - at : width;
        (void)snprintf(record, sizeof record, "o.%.*s", (int)piece, base64 + at);
        put(x, record);
    }
    expect(x, width == 76 ? "***|||" : "***||||");
    redaction_free(x);
}

static void test_redaction__wrapped_base64__goes_on_in_the_next_line(void **state)
{
    check_wrapped(76);
    check_wrapped(64);
    (void)state;
}

static void test_redaction__base64_line_of_another_length__ends_the_search(void **state)
{
    struct redaction *x = make(SECRET, false);
    assert_int_equal(put(x, "o.eGh1bnRl"), 1);
    assert_int_equal(put(x, "o.cjIy"), 1);
    redaction_free(x);
    /* Begun in the middle of a line the length is not known: then it waits. */
    x = make(SECRET, true);
    assert_int_equal(put(x, "o.eGh1bnRl"), 0);
    assert_int_equal(put(x, "o.cjIy"), 0);
    expect(x, "eG***||");
    assert_int_equal(put(x, "o.eGh1bnRl"), 1);
    redaction_free(x);
    (void)state;
}

static void test_redaction_clear__what_waits__is_forgotten(void **state)
{
    struct redaction *x = make(SECRET, false);
    put(x, "o+hunt");
    redaction_clear(x);
    expect(x, "");
    assert_int_equal(redaction_bytes(x), 0);
    redaction_free(x);
    redaction_free(NULL);
    (void)state;
}

static void test_redaction__random_worlds__keep_the_rules(void **state)
{
    uint32_t x = 99;
    for (unsigned round = 0; round < 1500; round++) {
        uint8_t data[400];
        size_t n = 50 + round % 350;
        for (size_t i = 0; i < n; i++) {
            x = x * 1664525u + 1013904223u;
            data[i] = (uint8_t)(x >> 24);
        }
        redaction_check(data, n);
    }
    (void)state;
}

static int use_all(void)
{
    const struct redact_value v = {SECRET, strlen(SECRET)};
    struct redactor *r = NULL;
    struct redaction *x = NULL;
    struct redaction_line l = {.stream = 'o', .flags = LINE_PART, .len = 4};
    l.p = (const uint8_t *)SECRET;
    int err = redactor_new(&v, 1, REDACT_FORMS_MAX, &r);
    if (err == 0)
        err = redaction_new(r, 65536, false, &x);
    if (err == 0)
        err = redaction_put(x, &l);
    if (err == 0)
        err = redaction_force(x);
    if (err == 0)
        err = redaction_peek(x, &l);
    redaction_free(x);
    return err;
}

static void test_redaction__no_memory__says_so(void **state)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        int err = use_all();
        assert_int_equal(err, fail_alloc_off() ? ERR_NOMEM : 0);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_redaction__secret_in_single_bytes__mask_in_the_first),
        cmocka_unit_test(test_redaction__no_secret_after_all__comes_out_as_it_was),
        cmocka_unit_test(test_redaction__streams__never_make_one_secret_together),
        cmocka_unit_test(test_redaction__line_end__ends_the_search),
        cmocka_unit_test(test_redaction__finish__nothing_waits),
        cmocka_unit_test(test_redaction_force__open_end__is_masked_and_the_rest_too),
        cmocka_unit_test(test_redaction_force__no_secret_after_all__the_rest_is_shown),
        cmocka_unit_test(test_redaction_restore__inside_a_secret__masks_its_rest),
        cmocka_unit_test(test_redaction__full_line_ends_in_a_beginning__mask_is_cut),
        cmocka_unit_test(test_redaction__wrapped_base64__goes_on_in_the_next_line),
        cmocka_unit_test(test_redaction__base64_line_of_another_length__ends_the_search),
        cmocka_unit_test(test_redaction_clear__what_waits__is_forgotten),
        cmocka_unit_test(test_redaction__random_worlds__keep_the_rules),
        cmocka_unit_test(test_redaction__no_memory__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
