/* The automaton against a search at every place, whole and in pieces; limits; memory. */
#include "logs/automaton.h"

#include "base/err.h"
#include "tests/unit/base/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *const STRINGS[] = {"abcabc", "bcabca", "aaaaaaa", "xbcabcay", "0123456789"};

static struct automaton *make(void)
{
    struct automaton *a = NULL;
    assert_int_equal(automaton_new(1000, &a), 0);
    for (size_t i = 0; i < ARRAY_SIZE(STRINGS); i++)
        assert_int_equal(automaton_add(a, (const uint8_t *)STRINGS[i], strlen(STRINGS[i]), i == 4),
                         0);
    assert_int_equal(automaton_finish(a), 0);
    return a;
}

/* The longest of the strings that ends behind text[end - 1]. */
static size_t longest_at(const uint8_t *text, size_t end)
{
    size_t best = 0;
    for (size_t i = 0; i < ARRAY_SIZE(STRINGS); i++) {
        size_t len = strlen(STRINGS[i]);
        if (len <= end && len > best && memcmp(text + end - len, STRINGS[i], len) == 0)
            best = len;
    }
    return best;
}

static uint32_t next_random(uint32_t *x)
{
    *x = *x * 1664525u + 1013904223u;
    return *x >> 16;
}

static void test_automaton_scan__any_text_in_any_pieces__finds_all(void **state)
{
    struct automaton *a = make();
    uint32_t x = 7;
    for (unsigned round = 0; round < 2000; round++) {
        uint8_t text[200];
        size_t n = next_random(&x) % sizeof text;
        for (size_t i = 0; i < n; i++)
            text[i] = (uint8_t) "abcxy0123456789 "[next_random(&x) % (round % 2 ? 5 : 16)];
        if (n > 40)
            memcpy(text + 20, STRINGS[round % ARRAY_SIZE(STRINGS)],
                   strlen(STRINGS[round % ARRAY_SIZE(STRINGS)]));
        uint32_t at = AUTOMATON_ROOT;
        size_t done = 0, found, last = 0;
        while (done < n) {
            size_t piece = 1 + next_random(&x) % 30;
            if (piece > n - done)
                piece = n - done;
            size_t used = automaton_scan(a, &at, text + done, piece, &found);
            done += used;
            for (size_t end = last + 1; end < done; end++)
                assert_int_equal(longest_at(text, end), 0);
            assert_int_equal(longest_at(text, done), found);
            last = done;
            if (found == 0)
                assert_int_equal(used, piece);
        }
    }
    automaton_free(a);
    (void)state;
}

static void test_automaton_text__state_inside__gives_its_bytes(void **state)
{
    struct automaton *a = make();
    uint32_t at = AUTOMATON_ROOT;
    uint8_t text[16];
    size_t found;
    assert_int_equal(automaton_scan(a, &at, (const uint8_t *)"..0123", 6, &found), 6);
    assert_int_equal(automaton_depth(a, at), 4);
    automaton_text(a, at, text);
    assert_memory_equal(text, "0123", 4);
    assert_int_equal(automaton_wrap(a, at), at);
    at = AUTOMATON_ROOT;
    assert_int_equal(automaton_scan(a, &at, (const uint8_t *)"abca", 4, &found), 4);
    assert_int_equal(automaton_depth(a, at), 4);
    assert_int_equal(automaton_wrap(a, at), AUTOMATON_ROOT);
    automaton_free(a);
    (void)state;
}

static void test_automaton_scan__other_base64_alphabet__is_the_same(void **state)
{
    struct automaton *a = NULL;
    uint32_t at = AUTOMATON_ROOT;
    size_t found;
    assert_int_equal(automaton_new(1000, &a), 0);
    assert_int_equal(automaton_add(a, (const uint8_t *)"a+b/c+d/", 8, true), 0);
    assert_int_equal(automaton_finish(a), 0);
    assert_int_equal(automaton_nodes(a), 8);
    assert_int_equal(automaton_scan(a, &at, (const uint8_t *)"........a-b_c+d_.....", 21, &found),
                     16);
    assert_int_equal(found, 8);
    automaton_free(a);
    (void)state;
}

static void test_automaton_add__bounds__errors(void **state)
{
    struct automaton *a = NULL;
    static const uint8_t LONG[AUTOMATON_STRING_MAX + 1u];
    assert_int_equal(automaton_new(10, &a), 0);
    assert_int_equal(automaton_add(a, (const uint8_t *)"12345", 5, false), ERR_INVALID);
    assert_int_equal(automaton_add(a, LONG, sizeof LONG, false), ERR_INVALID);
    assert_int_equal(automaton_add(a, (const uint8_t *)"1234567890", 10, false), 0);
    assert_int_equal(automaton_add(a, (const uint8_t *)"123456789", 9, false), 0);
    assert_int_equal(automaton_add(a, (const uint8_t *)"1234567891", 10, false), ERR_LIMIT);
    automaton_free(a);
    automaton_free(NULL);
    (void)state;
}

static int build_large(void)
{
    struct automaton *a = NULL;
    uint8_t text[3000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 7 + i / 251);
    int r = automaton_new(10000, &a);
    if (r == 0)
        r = automaton_add(a, text, sizeof text, false);
    if (r == 0)
        r = automaton_finish(a);
    if (r == 0)
        assert_int_equal(automaton_nodes(a), sizeof text);
    automaton_free(a);
    return r;
}

static void test_automaton__no_memory__says_so(void **state)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        int r = build_large();
        assert_int_equal(r, fail_alloc_off() ? ERR_NOMEM : 0);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_automaton_scan__any_text_in_any_pieces__finds_all),
        cmocka_unit_test(test_automaton_text__state_inside__gives_its_bytes),
        cmocka_unit_test(test_automaton_scan__other_base64_alphabet__is_the_same),
        cmocka_unit_test(test_automaton_add__bounds__errors),
        cmocka_unit_test(test_automaton__no_memory__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
