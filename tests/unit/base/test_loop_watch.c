/* A file's changes: each write is heard of, also a file that is not there is refused. */
#include "base/err.h"
#include "fail_alloc.h"
#include "loop_wait.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct ctx {
    struct loop *loop;
    struct loop_watch *watch;
    char path[64];
    int fd, calls;
};

static int setup(void **state)
{
    static struct ctx ctx;

    ctx = (struct ctx){.path = "/tmp/tailgate-test-watch-XXXXXX"};
    *state = &ctx;
    ctx.fd = mkstemp(ctx.path);
    return ctx.fd < 0 ? -1 : loop_new(&ctx.loop);
}

static int teardown(void **state)
{
    struct ctx *ctx = *state;

    loop_watch_free(ctx->watch);
    close(ctx->fd);
    unlink(ctx->path);
    loop_free(ctx->loop);
    return 0;
}

static void changed(void *user)
{
    struct ctx *ctx = user;

    ctx->calls++;
}

static void changed_and_free(void *user)
{
    struct ctx *ctx = user;

    ctx->calls++;
    loop_watch_free(ctx->watch);
    ctx->watch = NULL;
}

static void test_loop_watch__writes__each_heard_and_queued_ones_merged(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_watch_new(ctx->loop, ctx->path, changed, ctx, &ctx->watch), 0);
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_int_equal(ctx->calls, 0);
    assert_int_equal(write(ctx->fd, "a", 1), 1);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    int calls = ctx->calls;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(write(ctx->fd, "b", 1), 1);
    assert_true(loop_wait(ctx->loop, &ctx->calls, calls + 1));
    assert_int_equal(loop_turn(ctx->loop, 0), 0);
    assert_in_range(ctx->calls, calls + 1, calls + 10);
}

static void test_loop_watch__freed_in_its_call__no_further_call(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_watch_new(ctx->loop, ctx->path, changed_and_free, ctx, &ctx->watch), 0);
    assert_int_equal(write(ctx->fd, "a", 1), 1);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(write(ctx->fd, "a", 1), 1);
    assert_int_equal(loop_turn(ctx->loop, 10), 0);
    assert_int_equal(ctx->calls, 1);
}

static void test_loop_watch_new__failures__refused(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(loop_watch_new(ctx->loop, "/nonexistent/x", changed, ctx, &ctx->watch),
                     ERR_SYS);
    assert_true(fail_alloc_at(1));
    assert_int_equal(loop_watch_new(ctx->loop, ctx->path, changed, ctx, &ctx->watch), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_null(ctx->watch);
}

#define LOOP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(test_loop_watch__writes__each_heard_and_queued_ones_merged),
        LOOP_TEST(test_loop_watch__freed_in_its_call__no_further_call),
        LOOP_TEST(test_loop_watch_new__failures__refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
