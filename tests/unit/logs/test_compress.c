/*
 * Chunks in the thread pool: order, bounds, backpressure, and what is freed while a worker runs.
 * Jobs run in libuv's threads, or are held and run when the test says so.
 */
#include "base/err.h"
#include "logs/writer_internal.h"
#include "tests/unit/logs/fake_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HELD_MAX 16

static struct pool_seam {
    bool hold, refuse;
    int submitted;
    size_t n_held, most_held;
    struct {
        loop_work_fn work;
        loop_done_fn done;
        void *user;
    } held[HELD_MAX];
} seam;
static _Thread_local bool no_memory;
static _Thread_local int no_objects, callocs; /* the so manyth calloc fails */

int __real_loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user);
int __wrap_loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user);
int __wrap_loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user)
{
    if (seam.refuse)
        return ERR_NOMEM;
    seam.submitted++;
    if (!seam.hold)
        return __real_loop_work_submit(l, work, done, user);
    assert_true(seam.n_held < HELD_MAX);
    seam.held[seam.n_held].work = work;
    seam.held[seam.n_held].done = done;
    seam.held[seam.n_held++].user = user;
    if (seam.n_held > seam.most_held)
        seam.most_held = seam.n_held;
    return 0;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_malloc(size_t n)
{
    return no_memory ? NULL : __real_malloc(n);
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size)
{
    return no_objects > 0 && ++callocs == no_objects ? NULL : __real_calloc(n, size);
}

/* The oldest held job; err: as if the loop had cancelled it. */
static void run_held(int err)
{
    assert_true(seam.n_held > 0);
    struct pool_seam was = seam;
    seam.n_held--;
    for (size_t i = 0; i < seam.n_held; i++)
        seam.held[i] = seam.held[i + 1];
    if (err == 0)
        was.held[0].work(was.held[0].user);
    was.held[0].done(was.held[0].user, err);
}

static int setup(void **state)
{
    seam = (struct pool_seam){0};
    no_memory = false;
    return fake_rig_setup(state);
}

static int teardown(void **state)
{
    seam.hold = false;
    while (seam.n_held > 0)
        run_held(0);
    return fake_rig_teardown(state);
}

static void use_inline_bytes(struct fake_rig *r, size_t bytes)
{
    struct writer_opts wo = fake_rig_writer_opts();
    wo.inline_compress_bytes = bytes;
    fake_rig_writer(r, &wo);
}

static void begin(struct fed *f, struct fake_rig *r, uint32_t n)
{
    fed_open(f, r, n);
    f->owner.feed->no_punch = true; /* the pool is the chunks' alone */
    run_dir_begin(&f->dir);
    spin(r->loop, 10);
}

static void give(struct fed *f, uint64_t lines, size_t pad)
{
    run_dir_lines(&f->dir, lines, pad);
    feed_wake(f->owner.feed);
    spin(f->rig->loop, 20);
}

/* ---- in libuv's threads ---- */

static void test_compress__three_feeds_at_full_speed__each_line_once_in_order(void **state)
{
    struct fake_rig *r = *state;
    struct fed f[3];
    use_inline_bytes(r, 0);
    for (uint32_t i = 0; i < 3; i++)
        begin(&f[i], r, i + 1);
    for (int round = 0; round < 4; round++)
        for (size_t i = 0; i < 3; i++)
            give(&f[i], 7000 + 900 * i, 40 * i);
    for (size_t i = 0; i < 3; i++) {
        fed_finish(&f[i]);
        fed_close(&f[i]);
    }
    assert_true(seam.submitted > 10);
}

static void test_compress__writer_and_loop_freed_while_workers_run__safe(void **state)
{
    for (uint32_t i = 1; i <= 20; i++) {
        void *own = NULL;
        assert_int_equal(fake_rig_setup(&own), 0);
        struct fake_rig *r = own;
        struct fed f;
        begin(&f, r, i);
        run_dir_lines(&f.dir, 20000, 60);
        feed_wake(f.owner.feed);
        spin(r->loop, 2);
        fed_close(&f);
        assert_int_equal(fake_rig_teardown(&own), 0);
    }
    (void)state;
}

/* ---- held ---- */

struct size_row {
    uint64_t lines;
    size_t pad, inline_bytes;
    int submitted;
};

static void test_items_cut__chunk_over_the_bound__goes_to_the_pool(void **state)
{
    static const struct size_row ROWS[] = {
        {1, 100, 4096, 0}, {1, 5000, 4096, 1}, {1, 0, 0, 1}, {1, 60000, CHUNK_BYTES_MAX, 0}};
    struct fake_rig *r = *state;
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct fed f;
        use_inline_bytes(r, ROWS[i].inline_bytes);
        begin(&f, r, (uint32_t)i + 1);
        seam.submitted = 0;
        run_dir_lines(&f.dir, ROWS[i].lines, ROWS[i].pad);
        feed_wake(f.owner.feed);
        reader_await(r->loop, &f.reader, ROWS[i].lines);
        assert_int_equal(seam.submitted, ROWS[i].submitted);
        fed_finish(&f);
        fed_close(&f);
    }
}

static void test_compress__one_is_not_ready__what_is_behind_it_waits_others_go_on(void **state)
{
    struct fake_rig *r = *state;
    struct fed slow, other;
    begin(&slow, r, 1);
    begin(&other, r, 2);
    seam.hold = true;
    give(&slow, 1, 60000);
    assert_int_equal(seam.n_held, 1);
    int groups = r->pool->calls[FAKE_GROUP];
    run_dir_lines(&slow.dir, 3, 0); /* small enough to be compressed at once */
    run_dir_exit(&slow.dir, 0);
    feed_wake(slow.owner.feed);
    spin(r->loop, 20);
    assert_true(slow.owner.exited);
    assert_false(feed_is_drained(slow.owner.feed));
    assert_int_equal(r->pool->calls[FAKE_GROUP], groups);
    give(&other, 2, 0);
    assert_int_equal(other.reader.next, 3);
    assert_int_equal(slow.reader.next, 1);
    struct writer_stats s;
    writer_stats(r->writer, &s);
    assert_true(s.waiting_bytes > 60000);
    run_held(0);
    seam.hold = false;
    await_flag(r->loop, &slow.owner.ended);
    reader_await(r->loop, &slow.reader, 4);
    fake_assert_stored_once(r->pool, slow.key, 4);
    fed_finish(&other);
    fed_close(&slow);
    fed_close(&other);
}

static void test_compress__pool_is_busy__bounded_jobs_bounded_memory(void **state)
{
    struct fake_rig *r = *state;
    struct writer_opts wo = fake_rig_writer_opts();
    wo.feed_bytes_max = 512u << 10;
    fake_rig_writer(r, &wo);
    struct fed f;
    begin(&f, r, 1);
    seam.hold = true;
    run_dir_lines(&f.dir, 200, 10000); /* 2 MB */
    feed_wake(f.owner.feed);
    await_flag(r->loop, &f.owner.feed->stalled);
    spin(r->loop, 5);
    struct writer_stats s;
    writer_stats(r->writer, &s);
    assert_true(s.waiting_bytes >= wo.feed_bytes_max);
    assert_true(s.waiting_bytes < wo.feed_bytes_max + 2 * CHUNK_BYTES_MAX);
    assert_int_equal(seam.n_held, COMPRESS_JOBS_MAX);
    while (f.reader.next <= 200) {
        while (seam.n_held > 0)
            run_held(0);
        assert_int_equal(loop_turn(r->loop, 5), 0);
    }
    assert_int_equal(seam.most_held, COMPRESS_JOBS_MAX);
    seam.hold = false;
    fed_finish(&f);
    fed_close(&f);
}

static void test_compress__newest_job_is_done_first__sent_in_order(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    begin(&f, r, 1);
    seam.hold = true;
    give(&f, 13, 10000); /* two full chunks and a rest */
    assert_int_equal(seam.n_held, 2);
    struct pool_seam was = seam;
    seam.held[0] = was.held[1];
    seam.held[1] = was.held[0];
    run_held(0);
    spin(r->loop, 10);
    assert_int_equal(f.reader.next, 1);
    seam.hold = false;
    while (seam.n_held > 0)
        run_held(0);
    reader_await(r->loop, &f.reader, 13);
    fed_finish(&f);
    fed_close(&f);
}

static void test_compress__refused_cancelled_or_out_of_memory__compressed_when_sent(void **state)
{
    struct fake_rig *r = *state;
    for (uint32_t i = 0; i < 4; i++) {
        struct fed f;
        begin(&f, r, i + 1);
        seam.refuse = i == 0;
        seam.hold = true;
        run_dir_lines(&f.dir, 1, 60000);
        feed_wake(f.owner.feed);
        spin(r->loop, 2);
        assert_int_equal(seam.n_held, i == 0 ? 0 : 1);
        no_memory = i == 2;
        if (i > 0)
            run_held(i == 1 ? ERR_CLOSED : 0);
        no_memory = false;
        seam.refuse = seam.hold = false;
        reader_await(r->loop, &f.reader, 1);
        fed_finish(&f);
        fed_close(&f);
    }
}

static void test_compress__no_memory_for_a_job__compressed_when_sent(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    begin(&f, r, 1);
    struct item *i = item_new(ITEM_CHUNK);
    assert_non_null(i);
    i->feed = f.owner.feed;
    for (no_objects = 1; no_objects <= 2; no_objects++) { /* the job, its codec */
        compress_start(r->writer->compressor, i);
        callocs = 0;
        compress_pump(r->writer->compressor, true);
        assert_true(compress_is_pending(i)); /* more comes */
        compress_pump(r->writer->compressor, false);
        assert_false(compress_is_pending(i));
        assert_null(i->data);
    }
    no_objects = 0;
    callocs = 0;
    item_free(i);
    struct compressor *c = NULL;
    no_objects = 1;
    assert_int_equal(compressor_new(r->loop, &c), ERR_NOMEM);
    no_objects = 0;
    compressor_free(NULL);
    fed_finish(&f);
    fed_close(&f);
}

static void test_feed_free__in_the_pool__worker_finds_nobody(void **state)
{
    struct fake_rig *r = *state;
    for (uint32_t i = 0; i < 3; i++) {
        struct fed f;
        begin(&f, r, i + 1);
        seam.hold = true;
        give(&f, 20, 60000); /* in jobs, and waiting for one */
        assert_int_equal(seam.n_held, COMPRESS_JOBS_MAX);
        fed_close(&f);
        if (i == 1)
            writer_free(TAKE_PTR(r->writer));
        while (seam.n_held > 0)
            run_held(i == 2 ? ERR_CLOSED : 0);
        seam.hold = false;
        if (!r->writer)
            use_inline_bytes(r, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(test_compress__three_feeds_at_full_speed__each_line_once_in_order),
        T(test_compress__writer_and_loop_freed_while_workers_run__safe),
        T(test_items_cut__chunk_over_the_bound__goes_to_the_pool),
        T(test_compress__one_is_not_ready__what_is_behind_it_waits_others_go_on),
        T(test_compress__pool_is_busy__bounded_jobs_bounded_memory),
        T(test_compress__newest_job_is_done_first__sent_in_order),
        T(test_compress__refused_cancelled_or_out_of_memory__compressed_when_sent),
        T(test_compress__no_memory_for_a_job__compressed_when_sent),
        T(test_feed_free__in_the_pool__worker_finds_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
