/* The spool behind the commit: acknowledged, punched off the loop, and what a hole meets. */
#include "base/err.h"
#include "logs/writer_internal.h"
#include "spool/rundir.h"
#include "tests/unit/logs/fake_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct seam {
    bool hold, refuse;
    int punched, punch_error, submitted;
    loop_work_fn work;
    loop_done_fn done;
    void *user; /* of the held one; NULL: none */
} seam;

int __real_loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user);
int __wrap_loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user);
int __wrap_loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user)
{
    if (seam.refuse)
        return ERR_NOMEM;
    seam.submitted++;
    if (!seam.hold)
        return __real_loop_work_submit(l, work, done, user);
    assert_null(seam.user); /* one hole of a feed at a time */
    seam.work = work;
    seam.done = done;
    seam.user = user;
    return 0;
}

int __real_rundir_punch(int spool_fd, uint64_t from, uint64_t to);
int __wrap_rundir_punch(int spool_fd, uint64_t from, uint64_t to);
int __wrap_rundir_punch(int spool_fd, uint64_t from, uint64_t to)
{
    seam.punched++;
    return seam.punch_error ? seam.punch_error : __real_rundir_punch(spool_fd, from, to);
}

static void run_held(int err)
{
    assert_non_null(seam.user);
    void *user = TAKE_PTR(seam.user);
    if (err == 0)
        seam.work(user);
    seam.done(user, err);
}

static int setup(void **state)
{
    seam = (struct seam){0};
    return fake_rig_setup(state);
}

/* A feed whose chunks are compressed on the loop: the pool is the holes' alone. */
static void begin(struct fed *f, struct fake_rig *r, uint32_t n)
{
    struct writer_opts wo = fake_rig_writer_opts();
    wo.inline_compress_bytes = CHUNK_BYTES_MAX;
    fake_rig_writer(r, &wo);
    fed_open(f, r, n);
    run_dir_begin(&f->dir);
    seam.submitted = seam.punched = 0;
}

static void give_a_step(struct fed *f)
{
    run_dir_lines(&f->dir, PUNCH_BYTES / 1000 + 1, 1000);
    feed_wake(f->owner.feed);
    reader_await(f->rig->loop, &f->reader, f->dir.lines);
}

static bool is_punched(void *user)
{
    const struct fed *f = user;
    struct stat st;
    assert_int_equal(fstat(f->dir.fd, &st), 0);
    assert_int_equal((uint64_t)st.st_size, spool_writer_end(f->dir.writer));
    return f->owner.feed->no_punch || /* the file system cannot */
           (uint64_t)st.st_blocks * 512 < 2 * PUNCH_BYTES;
}

static void test_acknowledge__committed_spool__written_down_and_punched(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    begin(&f, r, 1);
    for (int i = 0; i < 8; i++)
        give_a_step(&f);
    await_flag(r->loop, &f.owner.drained);
    assert_int_equal(run_dir_ack(&f.dir), spool_writer_end(f.dir.writer));
    await_fn(r->loop, is_punched, &f);
    fed_finish(&f);
    fed_close(&f);
}

static void test_acknowledge__less_than_a_step__no_hole(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    begin(&f, r, 1);
    fed_lines(&f, 100);
    assert_int_equal(seam.submitted, 0);
    fed_finish(&f);
    fed_close(&f);
}

static void test_acknowledge__hole_is_still_punched__one_at_a_time(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    begin(&f, r, 1);
    seam.hold = true;
    give_a_step(&f);
    give_a_step(&f);
    assert_int_equal(seam.submitted, 1);
    run_held(0);
    give_a_step(&f);
    assert_int_equal(seam.submitted, 2);
    run_held(ERR_CLOSED); /* cancelled: as if it had not been asked for */
    seam.hold = false;
    give_a_step(&f);
    await_fn(r->loop, is_punched, &f);
    fed_finish(&f);
    fed_close(&f);
}

static void test_acknowledge__file_system_cannot__never_again(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    begin(&f, r, 1);
    seam.hold = true;
    seam.punch_error = -EOPNOTSUPP;
    give_a_step(&f);
    run_held(0);
    assert_true(f.owner.feed->no_punch);
    give_a_step(&f);
    assert_int_equal(seam.punched, 1);
    fed_finish(&f);
    fed_close(&f);
}

static void test_acknowledge__pool_refuses__with_the_next_commit(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    begin(&f, r, 1);
    seam.refuse = true;
    give_a_step(&f);
    assert_null(f.owner.feed->hole);
    seam.refuse = false;
    give_a_step(&f);
    assert_int_equal(seam.submitted, 1);
    await_fn(r->loop, is_punched, &f);
    fed_finish(&f);
    fed_close(&f);
}

static void test_feed_free__hole_is_still_punched__its_own_descriptor(void **state)
{
    struct fake_rig *r = *state;
    struct fed f;
    begin(&f, r, 1);
    seam.hold = true;
    give_a_step(&f);
    fed_close(&f);
    run_held(0);
    assert_int_equal(seam.punched, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, fake_rig_teardown)
        T(test_acknowledge__committed_spool__written_down_and_punched),
        T(test_acknowledge__less_than_a_step__no_hole),
        T(test_acknowledge__hole_is_still_punched__one_at_a_time),
        T(test_acknowledge__file_system_cannot__never_again),
        T(test_acknowledge__pool_refuses__with_the_next_commit),
        T(test_feed_free__hole_is_still_punched__its_own_descriptor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
