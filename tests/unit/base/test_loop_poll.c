/* Descriptors and signals on the loop. */
#include "base/err.h"
#include "fail_alloc.h"
#include "loop_wait.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

int __wrap_uv_signal_init(uv_loop_t *loop, uv_signal_t *handle);
int __real_uv_signal_init(uv_loop_t *loop, uv_signal_t *handle);

static int fail_signal_init;

int __wrap_uv_signal_init(uv_loop_t *loop, uv_signal_t *handle)
{
    return fail_signal_init ? fail_signal_init : __real_uv_signal_init(loop, handle);
}

struct ctx {
    struct loop *loop;
    struct loop_poll *poll;
    struct loop_signal *signal;
    int fds[2];
    int calls, last_error, last_signal;
    unsigned last_events;
};

static int setup(void **state)
{
    static struct ctx ctx;

    ctx = (struct ctx){0};
    *state = &ctx;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ctx.fds) < 0)
        return -1;
    return loop_new(&ctx.loop);
}

static int teardown(void **state)
{
    struct ctx *ctx = *state;

    loop_poll_free(ctx->poll);
    loop_signal_free(ctx->signal);
    close(ctx->fds[0]);
    close(ctx->fds[1]);
    loop_free(ctx->loop);
    return 0;
}

static void ready(void *user, unsigned events, int error)
{
    struct ctx *ctx = user;

    ctx->calls++;
    ctx->last_events = events;
    ctx->last_error = error;
}

static void ready_and_free(void *user, unsigned events, int error)
{
    struct ctx *ctx = user;

    ready(user, events, error);
    loop_poll_free(ctx->poll);
    ctx->poll = NULL;
}

static void signalled(void *user, int signum)
{
    struct ctx *ctx = user;

    ctx->calls++;
    ctx->last_signal = signum;
}

static void test_loop_poll__events__as_asked(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_poll_new(ctx->loop, ctx->fds[0], ready, ctx, &ctx->poll), 0);
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 0);
    assert_int_equal(loop_poll_start(ctx->poll, LOOP_WRITE), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(ctx->last_events, LOOP_WRITE);
    assert_int_equal(ctx->last_error, 0);
    assert_int_equal(loop_poll_start(ctx->poll, LOOP_READ), 0);
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 1);
    assert_int_equal(write(ctx->fds[1], "x", 1), 1);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 2));
    assert_int_equal(ctx->last_events, LOOP_READ);
    assert_int_equal(loop_poll_start(ctx->poll, LOOP_READ | LOOP_WRITE), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 3));
    assert_int_equal(ctx->last_events, LOOP_READ | LOOP_WRITE);
    assert_int_equal(loop_poll_start(ctx->poll, 0), 0);
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 3);
}

static void test_loop_poll__freed_in_its_call__descriptor_still_usable(void **state)
{
    struct ctx *ctx = *state;
    char c;

    assert_int_equal(loop_poll_new(ctx->loop, ctx->fds[0], ready_and_free, ctx, &ctx->poll), 0);
    assert_int_equal(loop_poll_start(ctx->poll, LOOP_READ), 0);
    assert_int_equal(write(ctx->fds[1], "x", 1), 1);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 1);
    assert_int_equal(read(ctx->fds[0], &c, 1), 1);
    assert_int_equal(loop_poll_new(ctx->loop, ctx->fds[0], ready, ctx, &ctx->poll), 0);
}

static void test_loop_poll__pipe_without_reader__error(void **state)
{
    struct ctx *ctx = *state;
    int fds[2];

    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(loop_poll_new(ctx->loop, fds[1], ready_and_free, ctx, &ctx->poll), 0);
    assert_int_equal(loop_poll_start(ctx->poll, LOOP_READ), 0);
    close(fds[0]);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(ctx->last_error, EBADF);
    assert_int_equal(ctx->last_events, 0);
    close(fds[1]);
}

static void test_loop_poll_new__cannot_poll__sys(void **state)
{
    struct ctx *ctx = *state;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(loop_poll_new(ctx->loop, fd, ready, ctx, &ctx->poll), ERR_SYS);
    close(fd);
    assert_int_equal(loop_poll_new(ctx->loop, fd, ready, ctx, &ctx->poll), ERR_SYS);
    assert_true(fail_alloc_at(1));
    assert_int_equal(loop_poll_new(ctx->loop, ctx->fds[0], ready, ctx, &ctx->poll), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_null(ctx->poll);
}

static void test_loop_signal__raised__called(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_signal_new(ctx->loop, SIGUSR1, signalled, ctx, &ctx->signal), 0);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(ctx->last_signal, SIGUSR1);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 2));
}

static void test_loop_signal_new__failures__refused(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_signal_new(ctx->loop, SIGKILL, signalled, ctx, &ctx->signal), ERR_SYS);
    assert_int_equal(loop_signal_new(ctx->loop, 0, signalled, ctx, &ctx->signal), ERR_SYS);
    fail_signal_init = UV_EMFILE;
    assert_int_equal(loop_signal_new(ctx->loop, SIGUSR1, signalled, ctx, &ctx->signal), ERR_SYS);
    fail_signal_init = 0;
    assert_true(fail_alloc_at(1));
    assert_int_equal(loop_signal_new(ctx->loop, SIGUSR1, signalled, ctx, &ctx->signal), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_null(ctx->signal);
}

#define LOOP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(test_loop_poll__events__as_asked),
        LOOP_TEST(test_loop_poll__freed_in_its_call__descriptor_still_usable),
        LOOP_TEST(test_loop_poll__pipe_without_reader__error),
        LOOP_TEST(test_loop_poll_new__cannot_poll__sys),
        LOOP_TEST(test_loop_signal__raised__called),
        LOOP_TEST(test_loop_signal_new__failures__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
