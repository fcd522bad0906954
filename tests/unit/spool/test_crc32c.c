/* CRC-32C: the published values, and both implementations on the same bytes. */
#include "spool/format.h"

#include "golden.h"

/* RFC 3720 B.4 and the polynomial's usual check value. */
static void test_crc32c__published_vectors__match(void **state)
{
    uint8_t zeros[32] = {0};
    uint8_t ones[32];
    uint8_t up[32];
    uint8_t down[32];
    memset(ones, 0xff, sizeof(ones));
    for (size_t i = 0; i < 32; i++) {
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    const struct {
        const void *p;
        size_t n;
        uint32_t crc;
    } rows[] = {
        {"", 0, 0},
        {"123456789", 9, 0xe3069283u},
        {zeros, 32, 0x8a9136aau},
        {ones, 32, 0x62a8ab43u},
        {up, 32, 0x46dd794eu},
        {down, 32, 0x113fdb5cu},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(spool_crc32c(0, rows[i].p, rows[i].n), rows[i].crc);
        assert_int_equal(spool_crc32c_portable(0, rows[i].p, rows[i].n), rows[i].crc);
    }
    (void)state;
}

static void test_crc32c__any_length_and_split__both_agree(void **state)
{
    uint8_t p[300];
    uint32_t x = 1;
    for (size_t i = 0; i < sizeof(p); i++) {
        x = x * 1664525u + 1013904223u;
        p[i] = (uint8_t)(x >> 24);
    }
    for (size_t n = 0; n <= sizeof(p); n++) {
        uint32_t whole = spool_crc32c(0, p, n);
        size_t k = n / 3;
        assert_int_equal(whole, spool_crc32c_portable(0, p, n));
        assert_int_equal(whole, spool_crc32c(spool_crc32c(0, p, k), p + k, n - k));
        assert_int_equal(whole,
                         spool_crc32c_portable(spool_crc32c_portable(0, p, k), p + k, n - k));
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c__published_vectors__match),
        cmocka_unit_test(test_crc32c__any_length_and_split__both_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
