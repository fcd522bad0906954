/*
 * UTF-8 against an independent decoder that knows the rules by value (decode, then check the
 * range), and against the examples of Unicode 3.9.
 */
#include "base/str.h"
#include "unit.h"

#include <string.h>

/* Length of the valid character at p, or 0. */
static size_t decode_by_value(const unsigned char *p, size_t n)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t c = p[0];
    size_t length = 1;

    if (c < 0x80)
        return 1;
    if ((c & 0xE0) == 0xC0) {
        length = 2;
        c &= 0x1F;
    } else if ((c & 0xF0) == 0xE0) {
        length = 3;
        c &= 0x0F;
    } else if ((c & 0xF8) == 0xF0) {
        length = 4;
        c &= 0x07;
    } else {
        return 0;
    }
    if (n < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3F);
    }
    return c < smallest[length] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF) ? 0 : length;
}

static void test_str_utf8_step__all_three_byte_strings__agrees_with_decoder(void **state UNUSED)
{
    /* The third byte only matters by its class. */
    static const unsigned char thirds[] = {0x00, 0x7F, 0x80, 0x8F, 0x90,
                                           0x9F, 0xA0, 0xBF, 0xC0, 0xFF};
    unsigned char s[4];

    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            for (size_t c = 0; c < ARRAY_SIZE(thirds); c++) {
                bool valid;
                s[0] = (unsigned char)a;
                s[1] = (unsigned char)b;
                s[2] = thirds[c];
                s[3] = 0x80;
                for (size_t n = 1; n <= 4; n++) {
                    size_t want = decode_by_value(s, n);
                    size_t step = str_utf8_step((const char *)s, n, &valid);
                    assert_int_equal(valid, want > 0);
                    if (want > 0)
                        assert_int_equal(step, want);
                    assert_in_range(step, 1, n);
                }
            }
        }
    }
}

static void test_str_utf8_step__maximal_parts__as_unicode_3_9(void **state UNUSED)
{
    static const struct {
        const char *s;
        size_t n, step;
    } rows[] = {
        {"\xC0\xAF", 2, 1},
        {"\xE0\x80\xBF", 3, 1},
        {"\xF0\x81\x82\x41", 4, 1},
        {"\xED\xA0\x80", 3, 1},
        {"\xF4\x91\x92\x93", 4, 1},
        {"\xFF", 1, 1},
        {"\x80", 1, 1},
        {"\xE1\x80\xE2", 3, 2},
        {"\xF0\x91\x92\xF1", 4, 3},
        {"\xF1\xBF\x41", 3, 2},
        {"\xE2\x82", 2, 2},
        {"\xC2", 1, 1},
        {"\xF5\x80\x80\x80", 4, 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        bool valid = true;
        assert_int_equal(str_utf8_step(rows[i].s, rows[i].n, &valid), rows[i].step);
        assert_false(valid);
    }
}

static void test_str_utf8_valid_prefix__texts__length_up_to_the_first_bad_byte(void **state UNUSED)
{
    static const struct {
        const char *s;
        size_t n, valid;
    } rows[] = {
        {"", 0, 0},
        {"abcdefgh", 8, 8},
        {"abcdefghij", 10, 10},
        {"abc\0def", 7, 7},
        {"gr\xC3\xBC\xC3\x9F", 6, 6},
        {"\xE2\x82\xAC\xF0\x9F\x98\x80", 7, 7},
        {"abcdefgh\xFFijk", 12, 8},
        {"abcdefghijkl\xC3", 13, 12},
        {"\xEF\xBB\xBFx", 4, 4},
        {"aaaaaaa\xE2\x82\xAC"
         "bbbbbbbb\x80",
         19, 18},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        assert_int_equal(str_utf8_valid_prefix(rows[i].s, rows[i].n), rows[i].valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_str_utf8_step__all_three_byte_strings__agrees_with_decoder),
        cmocka_unit_test(test_str_utf8_step__maximal_parts__as_unicode_3_9),
        cmocka_unit_test(test_str_utf8_valid_prefix__texts__length_up_to_the_first_bad_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
