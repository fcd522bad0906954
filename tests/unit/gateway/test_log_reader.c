#include "server_rig.h"

#include "gateway/log_reader.h"

static int64_t fake_ms;
static bool fakes_clock;
int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
    return fakes_clock ? fake_ms : __real_clock_mono_ms();
}

static void no_wake(void *user)
{
    (void)user;
}

static struct log_reader *open_reader(uint64_t after, uint64_t until, bool follow)
{
    struct log_reader *r = NULL;
    assert_int_equal(log_reader_open(NULL, &rig.world.row, after, until, follow, no_wake, NULL, &r),
                     0);
    return r;
}

static void test_log_reader_next__until__ends_inside_a_chunk(void **state)
{
    struct log_line line;
    (void)state;
    rig_step(0, rig_chunk(1, 'o', 0, "a", 'e', LINE_PART, "b", 'o', 0, "c", 0));
    struct log_reader *r = open_reader(0, 2, false);
    assert_int_equal(log_reader_next(r, &line), 0);
    assert_int_equal(line.seq, 1);
    assert_int_equal(log_reader_next(r, &line), 0);
    assert_int_equal(line.seq, 2);
    assert_int_equal(line.stream, 'e');
    assert_int_equal(line.flags, LINE_PART);
    assert_memory_equal(line.text, "b", line.len);
    assert_int_equal(log_reader_next(r, &line), ERR_END);
    log_reader_free(r);
}

static void test_log_reader_next__gap__passed_over(void **state)
{
    struct log_line line;
    (void)state;
    rig_step(ERR_GAP, NULL);
    rig_step(0, rig_chunk(2, 'o', 0, "b", 0));
    struct log_reader *r = open_reader(0, 2, false);
    assert_int_equal(log_reader_next(r, &line), 0);
    assert_int_equal(line.seq, 2);
    assert_int_equal(log_reader_next(r, &line), ERR_END);
    log_reader_free(r);
    rig_step(ERR_GAP, NULL);
    r = open_reader(0, 1, false); /* all of it is gone */
    assert_int_equal(log_reader_next(r, &line), ERR_END);
    log_reader_free(r);
}

static void test_log_reader_next__database_away__waits_then_gives_up(void **state)
{
    struct log_line line;
    (void)state;
    rig.auto_wake = false;
    fakes_clock = true;
    fake_ms = 1000;
    for (int i = 0; i < 3; i++)
        rig_step(ERR_DB_AWAY, NULL);
    struct log_reader *r = open_reader(0, 9, true);
    assert_int_equal(log_reader_next(r, &line), ERR_AGAIN);
    fake_ms += 20000;
    assert_int_equal(log_reader_next(r, &line), ERR_AGAIN);
    fake_ms += 20000;
    assert_int_equal(log_reader_next(r, &line), ERR_DB_AWAY);
    log_reader_free(r);
    fakes_clock = false;
}

static void test_log_reader_next__follow__beyond_until(void **state)
{
    struct log_line line;
    (void)state;
    rig_step(0, rig_chunk(1, 'o', 0, "a", 'o', 0, "b", 0));
    rig_step(ERR_END, NULL);
    struct log_reader *r = open_reader(0, 1, true);
    assert_int_equal(log_reader_next(r, &line), 0);
    assert_int_equal(log_reader_next(r, &line), 0);
    assert_int_equal(log_reader_next(r, &line), ERR_END);
    log_reader_free(r);
    log_reader_free(NULL);
}

static void test_log_reader_open__topic_fails__nothing_left(void **state)
{
    struct log_reader *r = NULL;
    (void)state;
    rig.hub_error = ERR_NOMEM;
    assert_int_equal(log_reader_open(NULL, &rig.world.row, 0, 1, false, no_wake, NULL, &r),
                     ERR_NOMEM);
    assert_null(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_log_reader_next__until__ends_inside_a_chunk, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_log_reader_next__gap__passed_over, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_log_reader_next__database_away__waits_then_gives_up,
                                        rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(test_log_reader_next__follow__beyond_until, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(test_log_reader_open__topic_fails__nothing_left, rig_setup,
                                        rig_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
