/* The start: what is adopted, and what becomes of each. */
#include "orchestrator/recover.h"

#include "fake.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct answer {
    int calls, err;
};

static void started(void *user, int err)
{
    struct answer *a = user;
    a->calls++;
    a->err = err;
}

static void begin(struct world *w, struct answer *a)
{
    assert_int_equal(orchestrator_start(w->o, started, a), 0);
    assert_int_equal(a->calls, 0);
}

/* Until the rows. */
static void begin_all(struct world *w, struct answer *a)
{
    begin(w, a);
    fake_answer_batch(CALL_SERVER_KEY, 0);
    fake_answer_batch(CALL_HEARTBEAT, 0);
}

enum { DIR_THERE, DIR_MISSING, SPOOL_MISSING };
enum { STARTS = 1, STOPS = 2, GONE = 4, DIRECT = 8 };

struct row {
    const char *name;
    enum exec_status status;
    int dir;
    int feed_err;
    enum rundir_liveness liveness;
    bool booted_since;
    unsigned does;
    enum exec_status becomes; /* once all is read; EXEC_STATUS_COUNT = stays */
    const char *reason;
};

#define STAYS EXEC_STATUS_COUNT
#define NOT RUNDIR_NOT_STARTED
#define ALIVE RUNDIR_ALIVE
#define DEAD RUNDIR_DEAD
#define ST EXEC_STARTING
#define RU EXEC_RUNNING
#define TE EXEC_TERMINATING
#define FA EXEC_FAILED
#define SD EXEC_STOPPED

/* clang-format off */
static const struct row rows[] = {
    {"never started", ST, DIR_THERE, 0, NOT, false, STARTS, STAYS, ""},
    {"never began", ST, DIR_MISSING, 0, NOT, false, STARTS, STAYS, ""},
    {"never began, host booted", ST, DIR_MISSING, 0, DEAD, true, GONE, FA, "host_lost"},
    {"just started", ST, DIR_THERE, 0, ALIVE, false, 0, STAYS, ""},
    {"started, then died", ST, DIR_THERE, 0, DEAD, false, GONE, FA, "runner_lost"},
    {"runs on", RU, DIR_THERE, 0, ALIVE, false, 0, STAYS, ""},
    {"died", RU, DIR_THERE, 0, DEAD, false, GONE, FA, "runner_lost"},
    {"ran, but has no lock", RU, DIR_THERE, 0, NOT, false, GONE, FA, "runner_lost"},
    {"to be stopped", TE, DIR_THERE, 0, ALIVE, false, STOPS, STAYS, ""},
    {"stopped and dead", TE, DIR_THERE, 0, DEAD, false, GONE, FA, "runner_lost"},
    {"stopped before it began", TE, DIR_THERE, 0, NOT, false, 0, SD, "stopped"},
    {"host booted", RU, DIR_THERE, 0, DEAD, true, GONE, FA, "host_lost"},
    {"host booted, lock not on disk", ST, DIR_THERE, 0, NOT, true, GONE, FA, "host_lost"},
    {"no directory", RU, DIR_MISSING, 0, DEAD, false, GONE, FA, "runner_lost"},
    {"no directory, host booted", RU, DIR_MISSING, 0, DEAD, true, GONE, FA, "host_lost"},
    {"no spool", RU, SPOOL_MISSING, 0, DEAD, false, GONE, FA, "runner_lost"},
    {"spool damaged", RU, DIR_THERE, ERR_CORRUPT, DEAD, false, DIRECT, FA, "spool_corrupt"},
    {"spool damaged, runner lives", RU, DIR_THERE, ERR_CORRUPT, ALIVE, false, DIRECT | STOPS, FA,
     "spool_corrupt"},
    {"spool torn by a crash", RU, DIR_THERE, ERR_CORRUPT, DEAD, true, DIRECT, FA, "host_lost"},
    {"spool unreadable", RU, DIR_THERE, ERR_SYS, DEAD, false, DIRECT, FA, "spool_unreadable"},
    {"no directory, none can be made", RU, DIR_MISSING, ERR_SYS, DEAD, false, DIRECT, FA,
     "runner_lost"},
};
/* clang-format on */

static void make_dir(const struct world *w, const struct execution *e, int dir)
{
    char path[320];
    if (dir == DIR_MISSING)
        return;
    (void)snprintf(path, sizeof path, "%s/%s", w->o->runs_dir, e->id.hex);
    assert_int_equal(rundir_create(path, e->id.hex, 1), 0);
    (void)snprintf(path, sizeof path, "%s/%s/spool", w->o->runs_dir, e->id.hex);
    if (dir == SPOOL_MISSING)
        assert_int_equal(unlink(path), 0);
}

static void check_direct(const struct row *row, const struct execution *e)
{
    assert_null(fake_feed(e->key));
    fake_pass(0);
    fake_answer_execution(CALL_GET, 0, e);
    struct fake_call c = fake_take(CALL_SUBMIT);
    assert_int_equal(c.to[c.steps - 1].status, row->becomes);
    assert_string_equal(c.to[c.steps - 1].reason, row->reason);
    c.fn.batch(c.user, 0, NULL);
}

static void check_feed(const struct row *row, const struct execution *e)
{
    struct feed *f = fake_feed(e->key);
    assert_non_null(f);
    if (row->does & GONE) {
        assert_true(f->wakes > 0);
        assert_int_equal(f->count, 0); /* an exit record may still be read */
    }
    f->is_drained = true;
    fake_pass(200);
    assert_int_equal(f->count, row->becomes == STAYS ? 0 : 1);
    if (row->becomes == STAYS)
        return;
    assert_int_equal(f->state.status, row->becomes);
    assert_string_equal(f->state.reason, row->reason);
}

static void test_recover__table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct row *row = &rows[i];
        struct execution e = fake_row((uint32_t)i + 1, row->status);
        struct answer a = {0};
        void *s;
        print_message("%s\n", row->name);
        assert_int_equal(fake_setup_unstarted(&s), 0);
        struct world *w = s;
        w->o->booted_us = e.state.started_at_us + (row->booted_since ? 1 : -1);
        make_dir(w, &e, row->dir);
        fake_engine.liveness = row->liveness;
        fake_feed_open_returns(row->feed_err);
        begin_all(w, &a);
        fake_answer_rows(CALL_ADOPT, 0, &e, 1);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, 0);
        assert_int_equal(fake_engine.starts, row->does & STARTS ? 1 : 0);
        assert_int_equal(fake_engine.stops, row->does & STOPS ? 1 : 0);
        if (row->does & DIRECT)
            check_direct(row, &e);
        else
            check_feed(row, &e);
        assert_int_equal(fake_teardown(&s), 0);
    }
}

static void test_recover__exit_record_in_the_spool__ends_as_usual(void **state)
{
    struct world *w = *state;
    struct execution e = fake_row(1, EXEC_RUNNING);
    const struct spool_exit x = {.exit_code = 9};
    struct answer a = {0};
    make_dir(w, &e, DIR_THERE);
    fake_engine.liveness = RUNDIR_DEAD;
    begin_all(w, &a);
    fake_answer_rows(CALL_ADOPT, 0, &e, 1);
    struct feed *f = fake_feed(e.key);
    f->cb.on_exit(f->user, &x);
    f->is_drained = true;
    fake_pass(200);
    assert_int_equal(f->count, 1);
    assert_int_equal(f->state.exit_code, 9);
}

static void test_recover__several__each_adopted(void **state)
{
    struct world *w = *state;
    struct execution e[3];
    struct answer a = {0};
    for (uint32_t i = 0; i < 3; i++) {
        e[i] = fake_row(i + 1, EXEC_RUNNING);
        make_dir(w, &e[i], DIR_THERE);
    }
    begin_all(w, &a);
    assert_false(orchestrator_is_ready(w->o));
    fake_answer_rows(CALL_ADOPT, 0, e, 3);
    assert_int_equal(orchestrator_live_count(w->o), 3);
    assert_true(orchestrator_is_ready(w->o));
}

static void test_recover__out_of_memory__start_fails(void **state)
{
    struct world *w = *state;
    struct execution e = fake_row(1, EXEC_RUNNING);
    struct answer a = {0};
    make_dir(w, &e, DIR_THERE);
    fake_feed_open_returns(ERR_NOMEM);
    begin_all(w, &a);
    fake_answer_rows(CALL_ADOPT, 0, &e, 1);
    assert_int_equal(a.err, ERR_NOMEM);
    assert_false(orchestrator_is_ready(w->o));
}

static void test_start__store_errors__told_once_at_each_step(void **state)
{
    struct world *w = *state;
    static const enum fake_call_kind steps[] = {CALL_SERVER_KEY, CALL_HEARTBEAT, CALL_ADOPT};
    for (size_t fails = 0; fails < 3; fails++) {
        struct answer a = {0};
        begin(w, &a);
        for (size_t i = 0; i < fails; i++)
            fake_answer_batch(steps[i], 0);
        if (fails == 2)
            fake_answer_rows(CALL_ADOPT, ERR_DB_AWAY, NULL, 0);
        else
            fake_answer_batch(steps[fails], ERR_DB_AWAY);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, ERR_DB_AWAY);
    }
    /* The next step is refused. */
    for (size_t fails = 0; fails < 2; fails++) {
        struct answer a = {0};
        begin(w, &a);
        for (size_t i = 0; i < fails; i++)
            fake_answer_batch(steps[i], 0);
        fake_stores_return(ERR_LIMIT);
        fake_answer_batch(steps[fails], 0);
        fake_stores_return(0);
        assert_int_equal(a.err, ERR_LIMIT);
    }
    struct answer a = {0};
    fake_stores_return(ERR_LIMIT);
    assert_int_equal(orchestrator_start(w->o, started, &a), ERR_LIMIT);
}

static void test_start__stored_key__used_when_it_fits(void **state)
{
    struct world *w = *state;
    static const char *const keys[] = {NULL, "short", "abcdefghijklmnopqrstuvwxyz012345"};
    struct answer a;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        a = (struct answer){0};
        fake_set_server_key(keys[i], keys[i] ? strlen(keys[i]) : 0);
        begin(w, &a);
        fake_answer_batch(CALL_SERVER_KEY, 0);
        assert_int_equal(a.err, i == 2 ? 0 : ERR_CORRUPT);
        assert_int_equal(w->o->has_token_key, i == 2);
    }
    assert_memory_equal(w->o->token_key, keys[2], TOKEN_KEY_LEN);
    fake_answer_batch(CALL_HEARTBEAT, ERR_DB);
}

static void test_start__freed_at_each_step__closed(void **state)
{
    (void)state;
    for (int at = 0; at < 3; at++) {
        struct answer a = {0};
        void *s;
        assert_int_equal(fake_setup_unstarted(&s), 0);
        struct world *w = s;
        begin(w, &a);
        if (at > 0)
            fake_answer_batch(CALL_SERVER_KEY, 0);
        if (at > 1)
            fake_answer_batch(CALL_HEARTBEAT, 0);
        orchestrator_free(TAKE_PTR(w->o));
        assert_int_equal(a.err, ERR_CLOSED);
        if (at == 2)
            fake_answer_rows(CALL_ADOPT, ERR_CLOSED, NULL, 0);
        else
            fake_answer_batch(at == 0 ? CALL_SERVER_KEY : CALL_HEARTBEAT, ERR_CLOSED);
        assert_int_equal(a.calls, 1);
        assert_int_equal(fake_teardown(&s), 0);
    }
}

struct boot_row {
    const char *text;
    int64_t wanted_s;
};

static void test_recover_boot_time__table(void **state)
{
    struct world *w = *state;
    static const struct boot_row boots[] = {
        {"cpu 1 2\nintr 1 2 3\nctxt 5\nbtime 1700000000\nprocesses 4\n", 1700000000},
        {"btime 12\n", 12},
        {"btime x\n", 0},
        {"btime -4\n", 0},
        {"cpu 1\n", 0},
        {"", 0},
    };
    char path[128];
    (void)snprintf(path, sizeof path, "%s/stat", w->dir);
    assert_int_equal(recover_boot_time_us(path), 0);
    for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
        FILE *f = fopen(path, "we");
        assert_non_null(f);
        assert_true(fputs(boots[i].text, f) >= 0);
        (void)fclose(f);
        assert_int_equal(recover_boot_time_us(path), boots[i].wanted_s * 1000000);
    }
    assert_true(recover_boot_time_us("/proc/stat") > 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup_unstarted, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recover__table),
        TEST(test_recover__exit_record_in_the_spool__ends_as_usual),
        TEST(test_recover__several__each_adopted),
        TEST(test_recover__out_of_memory__start_fails),
        TEST(test_start__store_errors__told_once_at_each_step),
        TEST(test_start__stored_key__used_when_it_fits),
        cmocka_unit_test(test_start__freed_at_each_step__closed),
        TEST(test_recover_boot_time__table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
