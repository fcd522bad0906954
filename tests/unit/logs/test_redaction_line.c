/* The copy of a line, and that nothing of it stays. */
#include "logs/redaction_line.h"

#include "tests/unit/base/fail_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t *watched; /* bytes that must be wiped when they are freed */
static size_t watched_len;
static unsigned wiped;

void __real_free(void *p);
void __wrap_free(void *p);
void __wrap_free(void *p)
{
    for (size_t i = 0; watched && i < watched_len; i++)
        wiped += watched[i] == 0;
    watched = NULL;
    __real_free(p);
}

static struct redaction_line line(const char *text)
{
    return (struct redaction_line){.time_us = 17,
                                   .end = 99,
                                   .stream = 'o',
                                   .flags = LINE_PART,
                                   .p = (const uint8_t *)text,
                                   .len = strlen(text)};
}

static void test_line_new__bytes__are_its_own(void **state)
{
    char text[] = "hunter22";
    struct redaction_line l = line(text);
    struct line *w = line_new(&l);
    assert_non_null(w);
    memset(text, 'x', sizeof text);
    assert_ptr_equal(w->l.p, w->bytes);
    assert_int_equal(w->l.len, 8);
    assert_memory_equal(w->l.p, "hunter22", 8);
    assert_true(w->l.time_us == 17 && w->l.end == 99);
    assert_true(w->l.stream == 'o' && w->l.flags == LINE_PART);
    assert_true(w->from == 0 && w->to == 0 && w->state == 0 && !w->is_crossed);
    line_free(w);
    (void)state;
}

static void test_line_new__empty__holds_nothing(void **state)
{
    struct redaction_line l = line("");
    struct line *w = line_new(&l);
    assert_non_null(w);
    assert_int_equal(w->l.len, 0);
    line_free(w);
    (void)state;
}

static void test_line_free__bytes__wiped_before(void **state)
{
    struct redaction_line l = line("hunter22");
    struct line *w = line_new(&l);
    assert_non_null(w);
    watched = w->bytes;
    watched_len = l.len;
    wiped = 0;
    line_free(w);
    assert_int_equal(wiped, 8);
    line_free(NULL);
    (void)state;
}

static void test_line_new__no_memory__null(void **state)
{
    struct redaction_line l = line("hunter22");
    assert_true(fail_alloc_at(1));
    assert_null(line_new(&l));
    assert_true(fail_alloc_off());
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_new__bytes__are_its_own),
        cmocka_unit_test(test_line_new__empty__holds_nothing),
        cmocka_unit_test(test_line_free__bytes__wiped_before),
        cmocka_unit_test(test_line_new__no_memory__null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
