/* Group commit: coalescing, bounds, refused groups, conditions of the server. */
#include "base/err.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FEEDS 4

struct feds {
    struct fed f[FEEDS];
};

static void open_feds(struct feds *s, struct fake_rig *r)
{
    for (uint32_t i = 0; i < FEEDS; i++)
        fed_open(&s->f[i], r, i + 1);
    spin(r->loop, 3);
}

static void close_feds(struct feds *s)
{
    for (size_t i = 0; i < FEEDS; i++)
        fed_close(&s->f[i]);
}

/* Lines of all feeds waiting behind a transaction that is in flight. */
static void fill_behind_a_group(struct feds *s, struct fake_rig *r)
{
    r->pool->paused = true;
    run_dir_lines(&s->f[0].dir, 1, 0);
    feed_wake(s->f[0].owner.feed);
    spin(r->loop, 3);
    assert_int_equal(fake_pending_count(r->pool), 1);
    for (size_t i = 0; i < FEEDS; i++) {
        run_dir_begin(&s->f[i].dir);
        run_dir_lines(&s->f[i].dir, 10, 0);
        feed_wake(s->f[i].owner.feed);
    }
    spin(r->loop, 5);
    assert_int_equal(fake_pending_count(r->pool), 1);
    assert_true(fake_answer(r->pool));
    spin(r->loop, 5);
}

static void finish_all(struct feds *s, struct fake_rig *r)
{
    r->pool->paused = false;
    while (fake_answer(r->pool)) {
    }
    for (size_t i = 0; i < FEEDS; i++)
        fed_finish(&s->f[i]);
}

static void test_group__arrived_in_flight__one_next_group(void **state)
{
    struct fake_rig *r = *state;
    struct feds s;
    open_feds(&s, r);
    fill_behind_a_group(&s, r);
    assert_int_equal(r->pool->calls[FAKE_GROUP], 2);
    assert_true(fake_answer(r->pool));
    assert_int_equal(r->pool->feeds_in_group, FEEDS);
    finish_all(&s, r);
    close_feds(&s);
}

static void test_group__poisoned_execution__alone_twice_then_broken_others_go_on(void **state)
{
    struct fake_rig *r = *state;
    struct feds s;
    open_feds(&s, r);
    fill_behind_a_group(&s, r);
    r->pool->poison = s.f[2].key;
    r->pool->paused = false;
    assert_true(fake_answer(r->pool));
    await_flag(r->loop, &s.f[2].owner.broken);
    assert_int_equal(s.f[2].owner.why, FEED_STORE);
    for (size_t i = 0; i < FEEDS; i++)
        if (i != 2)
            fed_finish(&s.f[i]);
    assert_int_equal(s.f[2].reader.next, 1);
    assert_int_equal(topic_last_seq(s.f[2].topic), 0);
    assert_int_equal(fake_row(r->pool, s.f[2].key)->state.last_seq, 0);
    struct writer_stats ws;
    writer_stats(r->writer, &ws);
    assert_true(ws.dropped_lines > 0);
    assert_int_equal(ws.waiting_bytes, 0);
    /* The owner may still record the end. */
    r->pool->poison = 0;
    struct exec_state to = *feed_state(s.f[2].owner.feed);
    to.status = EXEC_FAILED;
    assert_int_equal(feed_transition(s.f[2].owner.feed, &to, "test", "request-1"), 0);
    await_flag(r->loop, &s.f[2].owner.ended);
    await_flag(r->loop, &s.f[2].reader.ended);
    close_feds(&s);
}

static void test_group__refused_once__every_feed_alone_nothing_lost(void **state)
{
    static const int ERRORS[] = {ERR_DB, ERR_CONFLICT};
    struct fake_rig *r = *state;
    for (size_t e = 0; e < ARRAY_SIZE(ERRORS); e++) {
        struct feds s;
        r->pool->n_rows = 0;
        open_feds(&s, r);
        fill_behind_a_group(&s, r);
        r->pool->script[FAKE_GROUP].times = 1;
        r->pool->script[FAKE_GROUP].err = ERRORS[e];
        int before = r->pool->calls[FAKE_GROUP];
        assert_true(fake_answer(r->pool));
        for (int i = 0; i < FEEDS; i++) {
            spin(r->loop, 3);
            assert_true(fake_answer(r->pool));
            assert_int_equal(r->pool->feeds_in_group, 1);
        }
        assert_int_equal(r->pool->calls[FAKE_GROUP], before + FEEDS);
        finish_all(&s, r);
        close_feds(&s);
        while (r->pool->n_chunks > 0)
            fake_remove_chunks(r->pool, r->pool->chunks[0].key, UINT64_MAX);
    }
}

static void test_group__server_condition__sent_again_nobody_broken(void **state)
{
    static const char *const SQLSTATES[] = {"53100", "57P03", "40P01", "55P03", "58030", "25006"};
    struct fake_rig *r = *state;
    struct feds s;
    open_feds(&s, r);
    for (size_t i = 0; i < ARRAY_SIZE(SQLSTATES); i++) {
        r->pool->script[FAKE_GROUP].times = 3;
        r->pool->script[FAKE_GROUP].err = ERR_DB;
        r->pool->script[FAKE_GROUP].sqlstate = SQLSTATES[i];
        if (i == 0)
            run_dir_begin(&s.f[1].dir);
        fed_lines(&s.f[1], 7);
        assert_false(s.f[1].owner.broken);
    }
    struct writer_stats ws;
    writer_stats(r->writer, &ws);
    assert_true(ws.retries >= ARRAY_SIZE(SQLSTATES));
    fed_finish(&s.f[1]);
    close_feds(&s);
}

static void test_group__cannot_be_submitted__tried_again(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    r->pool->refuse[FAKE_GROUP] = 2;
    fed_open(&f, r, 1);
    run_dir_begin(&f.dir);
    fed_lines(&f, 10);
    fed_finish(&f);
    fed_close(&f);
}

static void test_group__bounds__a_feed_gets_its_share(void **state)
{
    struct fake_rig *r = *state;
    struct writer_opts wo = fake_rig_writer_opts();
    wo.group_bytes_max = 256u << 10;
    wo.inline_compress_bytes = CHUNK_BYTES_MAX; /* ready when it is read */
    fake_rig_writer(r, &wo);
    struct feds s;
    open_feds(&s, r);
    r->pool->paused = true;
    for (size_t i = 0; i < FEEDS; i++) {
        run_dir_begin(&s.f[i].dir);
        run_dir_lines(&s.f[i].dir, 3000, 100);
        feed_wake(s.f[i].owner.feed);
    }
    spin(r->loop, 20);
    int groups = 0;
    while (fake_answer(r->pool)) {
        groups++;
        assert_true(r->pool->in_group <= 4 * FEEDS);
        spin(r->loop, 10);
    }
    assert_true(groups >= 5);
    finish_all(&s, r);
    close_feds(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fake_rig_setup, fake_rig_teardown)
        T(test_group__arrived_in_flight__one_next_group),
        T(test_group__poisoned_execution__alone_twice_then_broken_others_go_on),
        T(test_group__refused_once__every_feed_alone_nothing_lost),
        T(test_group__server_condition__sent_again_nobody_broken),
        T(test_group__cannot_be_submitted__tried_again),
        T(test_group__bounds__a_feed_gets_its_share),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
