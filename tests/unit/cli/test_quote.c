/* Words for sh: the shell itself says whether they came through. */
#include "cli/quote.h"
#include "tests/unit/base/fail_alloc.h"
#include "tests/unit/base/unit.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *words[8];
    size_t count;
    const char *line;
} rows[] = {
    {{"ls | wc"}, 1, "ls | wc"},
    {{""}, 1, ""},
    {{"sh", "-c", "for i in 1 2; do echo $i; done; exit 7"},
     3,
     "sh -c 'for i in 1 2; do echo $i; done; exit 7'"},
    {{"echo", "it's"}, 2, "echo 'it'\\''s'"},
    {{"echo", "'"}, 2, "echo ''\\'''"},
    {{"echo", ""}, 2, "echo ''"},
    {{"A=1", "x"}, 2, "'A=1' x"},
    {{"env", "A=1"}, 2, "env A=1"},
    {{"printf", "%s", "a\nb\t\"$HOME\" `id` \\ * ~"}, 3, "printf %s 'a\nb\t\"$HOME\" `id` \\ * ~'"},
};

static void test_quote_command__rows__expected_line(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct buf b CLEANUP_BUF;
        buf_init(&b, 4096);
        assert_int_equal(quote_command(&b, rows[i].words, rows[i].count), 0);
        assert_string_equal(b.data, rows[i].line);
    }
}

static void test_quote_command__every_byte__sh_gives_it_back(void **state UNUSED)
{
    char word[256];
    char back[600] = "";
    for (int c = 1; c < 256; c++)
        word[c - 1] = (char)c;
    word[255] = '\0';
    const char *const words[] = {"printf", "%s|%s", word, "end"};
    struct buf b CLEANUP_BUF;
    buf_init(&b, 4096);
    assert_int_equal(quote_command(&b, words, 4), 0);
    FILE *f = popen(b.data, "r"); /* the program under test is for sh -c */
    assert_non_null(f);
    size_t n = fread(back, 1, sizeof back - 1, f);
    assert_int_equal(pclose(f), 0);
    assert_int_equal(n, 255 + 4);
    assert_memory_equal(back, word, 255);
    assert_string_equal(back + 255, "|end");
}

static void test_quote_command__no_room_or_memory__error(void **state UNUSED)
{
    const char *const words[] = {"echo", "a'b c'd", "$x"};
    for (size_t max = 0; max < 22; max++) {
        struct buf b CLEANUP_BUF;
        buf_init(&b, max);
        assert_int_equal(quote_command(&b, words, 3), ERR_TOO_LARGE);
    }
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        struct buf b CLEANUP_BUF;
        buf_init(&b, 4096);
        int r = quote_command(&b, words, 3);
        assert_int_equal(r, fail_alloc_off() ? ERR_NOMEM : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quote_command__rows__expected_line),
        cmocka_unit_test(test_quote_command__every_byte__sh_gives_it_back),
        cmocka_unit_test(test_quote_command__no_room_or_memory__error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
