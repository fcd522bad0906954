/* What the log is told of times without room. */
#include "runner/full.h"

#include "spooled.h"

static size_t count_text(struct spooled *s, const char *text)
{
    size_t n = 0;
    size_t records = 0;
    outlet_flush(&s->out, INT64_MAX);
    char *got = spooled_joined(s, 's', &n, &records);
    bool found = n > 0 && memmem(got, n, text, strlen(text)) != NULL;
    free(got);
    return found ? records : 0;
}

static void fill(struct spooled *s)
{
    for (int i = 0; i < 10; i++)
        assert_int_equal(outlet_line(&s->out, 'o', 0, (uint8_t[80]){0}, 80), 0);
}

static void test_full_watch__lengths__told_from_a_second_on(void **state)
{
    static const struct {
        int64_t ms;
        const char *text; /* NULL: nothing */
    } rows[] = {
        {0, NULL}, {999, NULL}, {1000, "blocked 1 s: spool full"}, {61999, "blocked 61 s:"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spooled s;
        struct full f = {OUTLET_OPEN, 0};
        spooled_init(&s, 1000);
        fill(&s);
        assert_int_equal(full_watch(&f, &s.out, 5000), OUTLET_SPOOL_FULL);
        assert_int_equal(full_watch(&f, &s.out, 5000 + rows[i].ms / 2), OUTLET_SPOOL_FULL);
        assert_int_equal(rundir_ack_write(s.ack_fd, 264), 0);
        assert_int_equal(full_watch(&f, &s.out, 5000 + rows[i].ms), OUTLET_OPEN);
        assert_int_equal(full_watch(&f, &s.out, 99000), OUTLET_OPEN); /* once */
        assert_int_equal(count_text(&s, rows[i].text ? rows[i].text : ""), rows[i].text ? 1 : 0);
        spooled_done(&s);
    }
    (void)state;
}

static void test_full_end__reasons__flag_and_line(void **state)
{
    static const struct {
        enum outlet_state why;
        uint32_t flag;
        const char *text;
    } rows[] = {
        {OUTLET_SPOOL_FULL, SPOOL_EXIT_SPOOL_FULL, "tailgate: spool full: the command is ended"},
        {OUTLET_DISK_FULL, SPOOL_EXIT_DISK_FULL, "tailgate: disk full: the command is ended"},
        {OUTLET_FAILING, 0, "cannot be written: the command is ended"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct spooled s;
        spooled_init(&s, 1000);
        fill(&s);
        assert_int_equal(full_end(rows[i].why, &s.out), rows[i].flag);
        assert_true(outlet_is_open(&s.out));
        assert_int_equal(count_text(&s, rows[i].text), 1);
        spooled_done(&s);
    }
    (void)state;
}

static void test_full_lose_rest__line(void **state)
{
    struct spooled s;
    spooled_init(&s, 1000);
    full_lose_rest(&s.out);
    assert_int_equal(count_text(&s, "disk full: what was written from here on is lost"), 1);
    spooled_done(&s);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_watch__lengths__told_from_a_second_on),
        cmocka_unit_test(test_full_end__reasons__flag_and_line),
        cmocka_unit_test(test_full_lose_rest__line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
