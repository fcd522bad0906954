/* Work off the loop: where it runs, where it is done, and what ending the loop does to it. */
#include "base/err.h"
#include "fail_alloc.h"
#include "loop_wait.h"
#include "unit.h"

#include <pthread.h>
#include <semaphore.h>
#include <uv.h>

int __wrap_uv_queue_work(uv_loop_t *loop, uv_work_t *req, uv_work_cb work, uv_after_work_cb done);
int __real_uv_queue_work(uv_loop_t *loop, uv_work_t *req, uv_work_cb work, uv_after_work_cb done);

static int fail_queue;

int __wrap_uv_queue_work(uv_loop_t *loop, uv_work_t *req, uv_work_cb work, uv_after_work_cb done)
{
    return fail_queue ? fail_queue : __real_uv_queue_work(loop, req, work, done);
}

/* libuv's default number of threads (uv threadpool documentation). */
#define THREADS 4
#define WAITING 3

struct ctx {
    struct loop *loop;
    pthread_t main_thread;
    sem_t started, go_on;
    bool was_off_loop;
    int done, cancelled, refused;
};

static void note_thread(void *user)
{
    struct ctx *ctx = user;

    ctx->was_off_loop = !pthread_equal(pthread_self(), ctx->main_thread);
}

static void work_done(void *user, int err)
{
    struct ctx *ctx = user;

    assert_true(pthread_equal(pthread_self(), ctx->main_thread));
    assert_int_equal(err, 0);
    ctx->done++;
}

static void test_loop_work_submit__work__off_the_loop_then_done_on_it(void **state UNUSED)
{
    struct ctx ctx = {.main_thread = pthread_self()};

    assert_int_equal(loop_new(&ctx.loop), 0);
    assert_int_equal(loop_work_submit(ctx.loop, note_thread, work_done, &ctx), 0);
    assert_true(loop_wait(ctx.loop, &ctx.done, 1));
    assert_true(ctx.was_off_loop);
    loop_free(ctx.loop);
}

static void block(void *user)
{
    struct ctx *ctx = user;

    (void)sem_post(&ctx->started);
    (void)sem_wait(&ctx->go_on);
}

/* The first cancelled one lets the running ones end: loop_free waits for both. */
static void count_done(void *user, int err)
{
    struct ctx *ctx = user;

    if (err == 0) {
        ctx->done++;
        return;
    }
    assert_int_equal(err, ERR_CLOSED);
    if (ctx->cancelled++ == 0) {
        for (int i = 0; i < THREADS; i++)
            (void)sem_post(&ctx->go_on);
    }
    if (loop_work_submit(ctx->loop, block, count_done, ctx) == ERR_CLOSED)
        ctx->refused++;
}

static void test_loop_free__work_waiting__cancelled_and_running_awaited(void **state UNUSED)
{
    struct ctx ctx = {.main_thread = pthread_self()};

    assert_int_equal(sem_init(&ctx.started, 0, 0), 0);
    assert_int_equal(sem_init(&ctx.go_on, 0, 0), 0);
    assert_int_equal(loop_new(&ctx.loop), 0);
    for (int i = 0; i < THREADS + WAITING; i++)
        assert_int_equal(loop_work_submit(ctx.loop, block, count_done, &ctx), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(sem_wait(&ctx.started), 0);
    loop_free(ctx.loop);
    assert_int_equal(ctx.done, THREADS);
    assert_int_equal(ctx.cancelled, WAITING);
    assert_int_equal(ctx.refused, WAITING);
    (void)sem_destroy(&ctx.started);
    (void)sem_destroy(&ctx.go_on);
}

static void test_loop_work_submit__failures__refused(void **state UNUSED)
{
    struct ctx ctx = {.main_thread = pthread_self()};

    assert_int_equal(loop_new(&ctx.loop), 0);
    assert_true(fail_alloc_at(1));
    assert_int_equal(loop_work_submit(ctx.loop, note_thread, work_done, &ctx), ERR_NOMEM);
    assert_true(fail_alloc_off());
    fail_queue = UV_EINVAL;
    assert_int_equal(loop_work_submit(ctx.loop, note_thread, work_done, &ctx), ERR_SYS);
    fail_queue = 0;
    loop_free(ctx.loop);
    assert_int_equal(ctx.done, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loop_work_submit__work__off_the_loop_then_done_on_it),
        cmocka_unit_test(test_loop_free__work_waiting__cancelled_and_running_awaited),
        cmocka_unit_test(test_loop_work_submit__failures__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
