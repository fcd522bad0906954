/* The spool's byte layout against golden files, and every way in which it can be damaged. */
#include "spool/format.h"

#include "golden.h"

static const struct spool_exit sample_exit = {.exit_code = 137,
                                              .signal = 9,
                                              .flags = SPOOL_EXIT_TIMED_OUT | SPOOL_EXIT_KILLED,
                                              .user_us = 1000001,
                                              .system_us = 2000002,
                                              .max_rss_kib = 4096,
                                              .started_us = 1700000000000000,
                                              .ended_us = 1700000001000000};

static size_t pack(uint8_t kind, uint8_t flags, const void *p, uint32_t len, uint8_t *ret)
{
    spool_record_pack(1700000000123456, kind, flags, p, len, ret);
    if (len > 0)
        memcpy(ret + SPOOL_RECORD_HEADER_LEN, p, len);
    return SPOOL_RECORD_HEADER_LEN + len;
}

static void test_header__golden__same_bytes_back(void **state)
{
    uint8_t h[SPOOL_HEADER_LEN];
    char id[SPOOL_ID_LEN + 1];
    int64_t created = 0;
    spool_header_pack(TEST_ID, 1700000000000000, h);
    golden_check("spool/header/spool", h, sizeof(h));
    assert_int_equal(spool_header_unpack(h, id, &created), 0);
    assert_string_equal(id, TEST_ID);
    assert_true(created == 1700000000000000);
    (void)state;
}

static void test_header__any_bit_flipped__refused(void **state)
{
    uint8_t h[SPOOL_HEADER_LEN];
    char id[SPOOL_ID_LEN + 1];
    int64_t created = 0;
    spool_header_pack(TEST_ID, 1, h);
    for (size_t bit = 0; bit < sizeof(h) * 8; bit++) {
        h[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(spool_header_unpack(h, id, &created), -EBADMSG);
        h[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    (void)state;
}

static void test_header__id_not_hex__refused(void **state)
{
    uint8_t h[SPOOL_HEADER_LEN];
    char id[SPOOL_ID_LEN + 1];
    int64_t created = 0;
    spool_header_pack("0011223344556677/../aabbccddeeff", 1, h);
    assert_int_equal(spool_header_unpack(h, id, &created), -EBADMSG);
    (void)state;
}

static void test_record__golden__same_bytes_back(void **state)
{
    uint8_t x[SPOOL_EXIT_LEN];
    static const uint8_t pid[4] = {0x39, 0x30, 0, 0};
    spool_exit_pack(&sample_exit, x);
    const struct {
        const char *file;
        uint8_t kind, flags;
        const void *p;
        uint32_t len;
    } rows[] = {
        {"spool/line/record", 'o', 0, "a\tb\r\xff", 5},
        {"spool/part/record", 'e', SPOOL_PART, "half", 4},
        {"spool/no_eol/record", 'o', SPOOL_NO_EOL, NULL, 0},
        {"spool/begin/record", 'b', 0, pid, 4},
        {"spool/exit/record", 'x', 0, x, sizeof(x)},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t b[128];
        struct spool_record rec;
        size_t n = pack(rows[i].kind, rows[i].flags, rows[i].p, rows[i].len, b);
        golden_check(rows[i].file, b, n);
        assert_int_equal(spool_record_unpack(b, sizeof(b), &rec), 0);
        assert_int_equal(rec.kind, rows[i].kind);
        assert_int_equal(rec.flags, rows[i].flags);
        assert_int_equal(rec.len, rows[i].len);
        assert_true(rec.time_us == 1700000000123456);
        if (rec.len > 0)
            assert_memory_equal(rec.payload, rows[i].p, rec.len);
    }
    (void)state;
}

static void test_record__every_prefix__incomplete(void **state)
{
    uint8_t b[64];
    struct spool_record rec;
    size_t n = pack('o', 0, "some line", 9, b);
    for (size_t k = 0; k < n; k++)
        assert_int_equal(spool_record_unpack(b, k, &rec), -EAGAIN);
    assert_int_equal(spool_record_unpack(b, n, &rec), 0);
    (void)state;
}

/* A flipped bit is found, or (in the length) makes the record look longer than what is there. */
static void test_record__any_bit_flipped__never_accepted(void **state)
{
    uint8_t b[64];
    struct spool_record rec;
    size_t n = pack('o', 0, "some line", 9, b);
    for (size_t bit = 0; bit < n * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int rc = spool_record_unpack(b, n, &rec);
        assert_true(rc == -EBADMSG || (rc == -EAGAIN && bit < 32));
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    (void)state;
}

static void test_record__rules__judged_before_payload_is_there(void **state)
{
    static const struct {
        uint8_t kind, flags;
        uint32_t len;
        int want;
    } rows[] = {
        {'o', 0, SPOOL_LINE_MAX, -EAGAIN},
        {'o', 0, SPOOL_LINE_MAX + 1, -EBADMSG},
        {'s', 0, UINT32_MAX, -EBADMSG},
        {'o', SPOOL_PART | SPOOL_NO_EOL, 9, -EBADMSG},
        {'e', 4, 9, -EBADMSG},
        {'b', 0, 3, -EBADMSG},
        {'b', 0, 5, -EBADMSG},
        {'b', SPOOL_PART, 4, -EBADMSG},
        {'x', 0, SPOOL_EXIT_LEN + 1, -EBADMSG},
        {'x', 1, SPOOL_EXIT_LEN, -EBADMSG},
        {'x', 0, SPOOL_EXIT_LEN, -EAGAIN},
        {0, 0, 0, -EBADMSG},
        {'q', 0, 1, -EBADMSG},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t b[SPOOL_RECORD_HEADER_LEN] = {0};
        struct spool_record rec;
        for (size_t k = 0; k < 4; k++)
            b[k] = (uint8_t)(rows[i].len >> 8 * k);
        b[16] = rows[i].kind;
        b[17] = rows[i].flags;
        assert_int_equal(spool_record_unpack(b, sizeof(b), &rec), rows[i].want);
    }
    (void)state;
}

static void test_record__zeros__refused(void **state)
{
    uint8_t b[4096] = {0}; /* what a hole or a lost block reads as */
    struct spool_record rec;
    assert_int_equal(spool_record_unpack(b, sizeof(b), &rec), -EBADMSG);
    (void)state;
}

static void test_exit__round_trip__and_refusals(void **state)
{
    uint8_t b[SPOOL_EXIT_LEN];
    struct spool_exit x;
    spool_exit_pack(&sample_exit, b);
    assert_int_equal(spool_exit_unpack(b, sizeof(b), &x), 0);
    assert_int_equal(x.exit_code, sample_exit.exit_code);
    assert_int_equal(x.signal, sample_exit.signal);
    assert_int_equal(x.flags, sample_exit.flags);
    assert_true(x.user_us == sample_exit.user_us && x.system_us == sample_exit.system_us);
    assert_true(x.max_rss_kib == sample_exit.max_rss_kib);
    assert_true(x.started_us == sample_exit.started_us && x.ended_us == sample_exit.ended_us);
    assert_int_equal(spool_exit_unpack(b, sizeof(b) - 1, &x), -EBADMSG);
    b[9] = 2; /* an unknown flag */
    assert_int_equal(spool_exit_unpack(b, sizeof(b), &x), -EBADMSG);
    b[9] = 0;
    b[12] = 1;
    assert_int_equal(spool_exit_unpack(b, sizeof(b), &x), -EBADMSG);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_header__golden__same_bytes_back),
        cmocka_unit_test(test_header__any_bit_flipped__refused),
        cmocka_unit_test(test_header__id_not_hex__refused),
        cmocka_unit_test(test_record__golden__same_bytes_back),
        cmocka_unit_test(test_record__every_prefix__incomplete),
        cmocka_unit_test(test_record__any_bit_flipped__never_accepted),
        cmocka_unit_test(test_record__rules__judged_before_payload_is_there),
        cmocka_unit_test(test_record__zeros__refused),
        cmocka_unit_test(test_exit__round_trip__and_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
