/* A feed whose lines have secrets: what waits, what is kept when a chunk ends inside one. */
#include "base/err.h"
#include "logs/redact.h"
#include "spool/rundir.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "hunter22"

static struct redactor *redactor_of(const char *value)
{
    const struct redact_value v = {value, strlen(value)};
    struct redactor *r = NULL;
    assert_int_equal(redactor_new(&v, 1, REDACT_FORMS_MAX, &r), 0);
    return r;
}

static void open_with(struct fed *f, struct fake_rig *r, uint32_t n)
{
    fed_open(f, r, n);
    f->reader.check_text = false;
    assert_int_equal(feed_set_redactor(f->owner.feed, redactor_of(SECRET)), 0);
    run_dir_begin(&f->dir);
}

static void put(struct fed *f, uint8_t kind, uint8_t flags, const char *text)
{
    struct spool_writer *w = f->dir.writer;
    assert_int_equal(
        spool_writer_append(w, ++f->dir.time_us, kind, flags, text, (uint32_t)strlen(text)), 0);
    assert_int_equal(spool_writer_flush(w), 0);
    f->dir.lines++;
}

/* The stored lines, each behind a '|', must be these. */
static void expect_stored(const struct fed *f, const char *expected)
{
    const struct db_pool *p = f->rig->pool;
    struct buf found CLEANUP_BUF = {.max = 8u << 20};
    for (uint64_t seq = 1; seq <= fake_row(f->rig->pool, f->key)->state.last_seq;) {
        struct chunk *c = NULL;
        for (size_t i = 0; i < p->n_chunks && !c; i++) {
            const struct fake_chunk *k = &p->chunks[i];
            if (k->key == f->key && k->first_seq == seq)
                assert_int_equal(chunk_decode(k->data, k->len, k->key, seq, &c), 0);
        }
        assert_non_null(c);
        for (uint32_t i = 0; i < c->n_lines; i++) {
            assert_int_equal(buf_append_char(&found, '|'), 0);
            assert_int_equal(buf_append(&found, c->text + c->lines[i].offset, c->lines[i].len), 0);
        }
        seq += c->n_lines;
        chunk_unref(c);
    }
    assert_string_equal(found.data ? found.data : "", expected);
}

/* Another feed at the same run directory, as after a start: from what the row says. */
static void start_anew(struct fed *f)
{
    feed_free(TAKE_PTR(f->owner.feed));
    spin(f->rig->loop, 20);
    struct execution row = *fake_row(f->rig->pool, f->key);
    f->owner = (struct owner){0};
    assert_int_equal(owner_open(&f->owner, f->rig->writer, &f->dir, &row), 0);
    assert_int_equal(feed_set_redactor(f->owner.feed, redactor_of(SECRET)), 0);
}

static bool is_stored(void *user)
{
    const struct fed *f = user;
    return fake_row(f->rig->pool, f->key)->state.last_seq >= f->dir.lines;
}

static void test_feed_redact__parts_of_a_secret__wait_and_are_masked(void **state)
{
    struct fed f;
    open_with(&f, *state, 1);
    put(&f, 'o', 0, "it is " SECRET ".");
    reader_await(f.rig->loop, &f.reader, 1);
    put(&f, 'o', SPOOL_PART, "say hunt");
    put(&f, 'e', 0, "behind");
    spin(f.rig->loop, 30);
    assert_int_equal(fake_row(f.rig->pool, f.key)->state.last_seq, 1);
    assert_true(run_dir_ack(&f.dir) < spool_writer_end(f.dir.writer));
    put(&f, 'o', 0, "er22!");
    reader_await(f.rig->loop, &f.reader, 4);
    expect_stored(&f, "|it is ***.|say ***|behind|!");
    fed_close(&f);
}

static void test_feed_redact__killed_while_a_part_waits__masked_all_the_same(void **state)
{
    struct fed f;
    open_with(&f, *state, 1);
    put(&f, 's', 0, "before");
    put(&f, 'o', SPOOL_PART, "hunt");
    reader_await(f.rig->loop, &f.reader, 1);
    start_anew(&f);
    put(&f, 'o', SPOOL_PART, "er");
    spin(f.rig->loop, 30);
    start_anew(&f);
    put(&f, 'o', 0, "22 end");
    await_fn(f.rig->loop, is_stored, &f);
    expect_stored(&f, "|before|***|| end");
    fed_close(&f);
}

static void test_feed_redact__exit_record__what_waits_comes_out(void **state)
{
    struct fed f;
    open_with(&f, *state, 1);
    put(&f, 'o', SPOOL_PART, "hunter2");
    run_dir_exit(&f.dir, 0);
    await_flag(f.rig->loop, &f.owner.ended);
    expect_stored(&f, "|hunter2");
    assert_int_equal(fake_row(f.rig->pool, f.key)->spool_offset, spool_writer_end(f.dir.writer));
    fed_close(&f);
}

static void test_feed_redact__system_line_and_damage__behind_what_waits(void **state)
{
    struct fed f;
    open_with(&f, *state, 1);
    put(&f, 'o', SPOOL_PART, "hunt");
    await_flag(f.rig->loop, &f.owner.begun);
    spin(f.rig->loop, 30);
    assert_true(feed_is_drained(f.owner.feed));
    assert_int_equal(feed_system_line(f.owner.feed, "the runner was lost"), 0);
    f.dir.lines++;
    await_fn(f.rig->loop, is_stored, &f);
    expect_stored(&f, "|hunt|the runner was lost");
    put(&f, 'o', SPOOL_PART, "hun");
    const uint8_t zeros[64] = {0};
    assert_int_equal(write(f.dir.fd, zeros, sizeof zeros), sizeof zeros);
    await_flag(f.rig->loop, &f.owner.broken);
    await_fn(f.rig->loop, is_stored, &f);
    expect_stored(&f, "|hunt|the runner was lost|hun");
    fed_close(&f);
}

/* So much behind a part that waits that nothing else would make room. */
static void flood(struct fed *f, unsigned lines)
{
    for (unsigned i = 0; i < lines; i++)
        put(f, 'e', 0, "flood");
}

static void test_feed_redact__too_much_waits__masked_and_kept_for_the_next_start(void **state)
{
    struct fake_rig *r = *state;
    struct writer_opts opts = fake_rig_writer_opts();
    struct fed f;
    opts.held_bytes_max = 4096;
    fake_rig_writer(r, &opts);
    open_with(&f, r, 1);
    put(&f, 'o', SPOOL_PART, "say hunt");
    flood(&f, 60);
    await_fn(r->loop, is_stored, &f);
    start_anew(&f);
    put(&f, 'e', 0, "more");
    await_fn(r->loop, is_stored, &f);
    start_anew(&f);
    put(&f, 'o', 0, "er22 and hunter22");
    await_fn(r->loop, is_stored, &f);
    start_anew(&f); /* what was open is closed again */
    put(&f, 'o', 0, "er22 is no secret");
    await_fn(r->loop, is_stored, &f);
    char expected[2048] = "|say ***";
    for (unsigned i = 0; i < 60; i++)
        memcpy(expected + strlen(expected), "|flood", sizeof "|flood");
    static const char END[] = "|more| and ***|er22 is no secret";
    memcpy(expected + strlen(expected), END, sizeof END);
    expect_stored(&f, expected);
    fed_close(&f);
}

static void test_feed_redact__secret_across_full_parts__chunk_ends_inside_it(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    static char part[SPOOL_LINE_MAX + 1];
    open_with(&f, r, 1);
    memset(part, 'x', SPOOL_LINE_MAX);
    memcpy(part + SPOOL_LINE_MAX - 4, "hunt", 4);
    put(&f, 'o', SPOOL_PART, part);
    put(&f, 'o', 0, "er22");
    /* The first chunk is committed, and then nobody goes on. */
    r->pool->paused = true;
    for (int i = 0; i < 200 && fake_pending_count(r->pool) == 0; i++)
        assert_int_equal(loop_turn(r->loop, 10), 0);
    while (fake_row(r->pool, f.key)->state.last_seq < 1 && fake_answer(r->pool))
        spin(r->loop, 5);
    r->pool->paused = false;
    start_anew(&f);
    await_fn(r->loop, is_stored, &f);
    struct chunk *c = NULL;
    const struct fake_chunk *last = &r->pool->chunks[r->pool->n_chunks - 1];
    assert_int_equal(chunk_decode(last->data, last->len, f.key, last->first_seq, &c), 0);
    assert_int_equal(c->lines[c->n_lines - 1].len, 0);
    chunk_unref(c);
    fed_close(&f);
}

static void test_feed_set_redactor__nothing__costs_nothing(void **state)
{
    struct fed f;
    fed_open(&f, *state, 1);
    assert_int_equal(feed_set_redactor(f.owner.feed, NULL), 0);
    run_dir_begin(&f.dir);
    fed_lines(&f, 3);
    fed_finish(&f);
    fed_close(&f);
}

static void test_feed_hold__nothing_is_read_before_secrets_are_known(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    fed_open(&f, r, 1);
    f.reader.check_text = false;
    feed_hold(f.owner.feed);
    run_dir_begin(&f.dir);
    put(&f, SPOOL_KIND_STDOUT, 0, "say " SECRET);
    feed_wake(f.owner.feed);
    spin(r->loop, 20);
    assert_int_equal(fake_row(r->pool, f.key)->state.last_seq, 0);
    assert_false(feed_is_drained(f.owner.feed));
    /* What is not in the spool does not wait, and is no line of a feed that was there before. */
    assert_int_equal(feed_system_line(f.owner.feed, "told"), 0);
    f.dir.lines++;
    reader_await(r->loop, &f.reader, 1);
    assert_int_equal(feed_set_redactor(f.owner.feed, redactor_of(SECRET)), 0);
    reader_await(r->loop, &f.reader, 2);
    expect_stored(&f, "|told|say ***");
    fed_close(&f);
}

static void test_feed_hold__nothing_secret__goes_on(void **state)
{
    struct fed f;
    fed_open(&f, *state, 1);
    feed_hold(f.owner.feed);
    run_dir_begin(&f.dir);
    assert_int_equal(feed_set_redactor(f.owner.feed, NULL), 0);
    fed_lines(&f, 3);
    fed_finish(&f);
    fed_close(&f);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_rig_setup, fake_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_feed_redact__parts_of_a_secret__wait_and_are_masked),
        TEST(test_feed_redact__killed_while_a_part_waits__masked_all_the_same),
        TEST(test_feed_redact__exit_record__what_waits_comes_out),
        TEST(test_feed_redact__system_line_and_damage__behind_what_waits),
        TEST(test_feed_redact__too_much_waits__masked_and_kept_for_the_next_start),
        TEST(test_feed_redact__secret_across_full_parts__chunk_ends_inside_it),
        TEST(test_feed_hold__nothing_is_read_before_secrets_are_known),
        TEST(test_feed_hold__nothing_secret__goes_on),
        TEST(test_feed_set_redactor__nothing__costs_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
