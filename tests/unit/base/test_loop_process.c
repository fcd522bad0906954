/* Child processes: how they are started, what is heard of them, and that each is reaped. */
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "fail_alloc.h"
#include "loop_wait.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define PASS(name, args) fail_##name ? fail_##name : __real_##name args
int __wrap_uv_pipe_open(uv_pipe_t *pipe, uv_file fd);
int __real_uv_pipe_open(uv_pipe_t *pipe, uv_file fd);
int __wrap_uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb read);
int __real_uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb read);
int __wrap_uv_process_kill(uv_process_t *process, int signum);
int __real_uv_process_kill(uv_process_t *process, int signum);
int __wrap_pipe2(int fds[2], int flags);
int __real_pipe2(int fds[2], int flags);

static int fail_uv_pipe_open, fail_uv_read_start, fail_uv_process_kill, fail_pipe2;

int __wrap_uv_pipe_open(uv_pipe_t *pipe, uv_file fd)
{
    return PASS(uv_pipe_open, (pipe, fd));
}

int __wrap_uv_read_start(uv_stream_t *stream, uv_alloc_cb alloc, uv_read_cb read)
{
    return PASS(uv_read_start, (stream, alloc, read));
}

int __wrap_uv_process_kill(uv_process_t *process, int signum)
{
    return PASS(uv_process_kill, (process, signum));
}

int __wrap_pipe2(int fds[2], int flags)
{
    errno = EMFILE;
    return PASS(pipe2, (fds, flags));
}

struct ctx {
    struct loop *loop;
    struct loop_process *process;
    int calls, term_signal;
    int64_t exit_status;
    char output[LOOP_PROCESS_OUTPUT_MAX + 1];
    bool frees_itself;
};

static int setup(void **state)
{
    static struct ctx ctx;

    memset(&ctx, 0, sizeof(ctx));
    *state = &ctx;
    return loop_new(&ctx.loop);
}

static int teardown(void **state)
{
    struct ctx *ctx = *state;

    loop_process_free(ctx->process);
    loop_free(ctx->loop);
    return 0;
}

static void ended(void *user, int64_t exit_status, int term_signal, const char *output)
{
    struct ctx *ctx = user;

    ctx->calls++;
    ctx->exit_status = exit_status;
    ctx->term_signal = term_signal;
    assert_int_equal(str_copy(ctx->output, sizeof(ctx->output), output), 0);
    if (ctx->frees_itself) {
        loop_process_free(ctx->process);
        ctx->process = NULL;
    }
}

/* Starts `sh -c script` with opts' other fields. */
static int start(struct ctx *ctx, const char *script, struct loop_process_opts opts)
{
    const char *const argv[] = {"sh", "-c", script, NULL};

    opts.file = "sh";
    opts.argv = argv;
    return loop_process_spawn(ctx->loop, &opts, ended, ctx, &ctx->process);
}

static const struct loop_process_opts plain = LOOP_PROCESS_DEFAULTS;
static const struct loop_process_opts captured = {.inherit_fd = -1, .capture_output = true};

static bool is_gone(pid_t pid)
{
    return kill(pid, 0) < 0 && errno == ESRCH;
}

/* Turns the loop until the child has ended and was reaped. */
static bool wait_gone(struct loop *l, pid_t pid)
{
    int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;

    while (!is_gone(pid) && clock_mono_ms() < deadline) {
        if (loop_turn(l, 10) < 0)
            return false;
    }
    return is_gone(pid);
}

static void test_loop_process__ends__status_signal_and_output(void **state)
{
    struct ctx *ctx = *state;
    static const struct {
        const char *script;
        bool capture;
        int64_t exit_status;
        int term_signal;
        const char *output;
    } rows[] = {
        {"exit 0", false, 0, 0, ""},
        {"exit 7", false, 7, 0, ""},
        {"echo lost; exit 3", false, 3, 0, ""},
        {"kill -KILL $$", false, -1, SIGKILL, ""},
        {"echo out; echo err >&2; exit 3", true, 3, 0, "out\nerr\n"},
        {"printf begun; kill -TERM $$", true, -1, SIGTERM, "begun"},
        {"true", true, 0, 0, ""},
        {"cat; echo end of input", true, 0, 0, "end of input\n"},
        {"exec >&- 2>&-; sleep 0.05; exit 4", true, 4, 0, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        ctx->calls = 0;
        assert_int_equal(start(ctx, rows[i].script, rows[i].capture ? captured : plain), 0);
        pid_t pid = loop_process_pid(ctx->process);
        assert_true(pid > 0);
        assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
        assert_int_equal(ctx->exit_status, rows[i].exit_status);
        assert_int_equal(ctx->term_signal, rows[i].term_signal);
        assert_string_equal(ctx->output, rows[i].output);
        assert_true(is_gone(pid));
        loop_process_free(ctx->process);
        ctx->process = NULL;
    }
}

static void test_loop_process__much_output__cut(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(start(ctx, "head -c 1000000 /dev/zero | tr '\\0' x", captured), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(ctx->exit_status, 0);
    assert_int_equal(strlen(ctx->output), LOOP_PROCESS_OUTPUT_MAX);
}

static void test_loop_process__grandchild_keeps_the_output__called_soon(void **state)
{
    struct ctx *ctx = *state;
    int64_t before = clock_mono_ms();

    assert_int_equal(start(ctx, "sleep 30 & echo $!", captured), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_true(clock_mono_ms() - before < 5000);
    assert_int_equal(ctx->exit_status, 0);
    int64_t grandchild;
    ctx->output[strcspn(ctx->output, "\n")] = '\0';
    assert_int_equal(str_to_i64(ctx->output, 2, INT32_MAX, &grandchild), 0);
    assert_int_equal(kill((pid_t)grandchild, SIGKILL), 0);
    /* The end of its output comes after the call and is not a second one. */
    assert_int_equal(loop_turn(ctx->loop, 20), 0);
    assert_int_equal(ctx->calls, 1);
}

static void test_loop_process__options__environment_cwd_descriptor_session(void **state)
{
    struct ctx *ctx = *state;
    static const char *const env[] = {"ONLY=this", "PATH=/usr/bin:/bin", NULL};
    char want[64];
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    struct loop_process_opts opts = captured;

    assert_true(fd >= 0);
    opts.env = env;
    opts.cwd = "/usr";
    opts.inherit_fd = fd;
    opts.detached = true;
    assert_int_equal(start(ctx,
                           "echo $ONLY-$HOME; pwd; readlink /proc/self/fd/3; "
                           "set -- $(cat /proc/$$/stat); echo $6",
                           opts),
                     0);
    (void)snprintf(want, sizeof(want), "this-\n/usr\n/dev/null\n%d\n",
                   loop_process_pid(ctx->process));
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_string_equal(ctx->output, want);
    close(fd);
}

static void test_loop_process__set_ids__no_group_is_left(void **state)
{
    struct ctx *ctx = *state;
    struct loop_process_opts opts = captured;
    gid_t more[] = {4, 27};

    if (geteuid() != 0) {
        skip(); /* only root may become another */
    }
    assert_int_equal(setgroups(ARRAY_SIZE(more), more), 0);
    opts.set_ids = true;
    opts.uid = 65534;
    opts.gid = 65534;
    assert_int_equal(start(ctx, "id -u; id -g; id -G; id -ru", opts), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_string_equal(ctx->output, "65534\n65534\n65534\n65534\n");
}

static void test_loop_process_spawn__cannot_start__sys_and_nothing_left(void **state)
{
    struct ctx *ctx = *state;
    const char *const argv[] = {"x", NULL};
    struct loop_process_opts opts = captured;

    opts.file = "/nonexistent/program";
    opts.argv = argv;
    assert_int_equal(loop_process_spawn(ctx->loop, &opts, ended, ctx, &ctx->process), ERR_SYS);
    opts.file = "sh";
    opts.cwd = "/nonexistent";
    assert_int_equal(loop_process_spawn(ctx->loop, &opts, ended, ctx, &ctx->process), ERR_SYS);
    assert_int_equal(loop_turn(ctx->loop, 10), 0);
    assert_int_equal(ctx->calls, 0);
    assert_null(ctx->process);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void test_loop_process_spawn__resources_missing__refused(void **state)
{
    struct ctx *ctx = *state;

    fail_pipe2 = -1;
    assert_int_equal(start(ctx, "exit 0", captured), ERR_SYS);
    fail_pipe2 = 0;
    fail_uv_pipe_open = UV_EMFILE;
    assert_int_equal(start(ctx, "exit 0", captured), ERR_SYS);
    fail_uv_pipe_open = 0;
    fail_uv_read_start = UV_ENOMEM;
    assert_int_equal(start(ctx, "exit 0", captured), ERR_NOMEM);
    fail_uv_read_start = 0;
    assert_true(fail_alloc_at(1));
    assert_int_equal(start(ctx, "exit 0", captured), ERR_NOMEM);
    assert_true(fail_alloc_off());
    assert_null(ctx->process);
    assert_int_equal(ctx->calls, 0);
}

static void test_loop_process__no_memory_for_output__still_called(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(start(ctx, "echo output", captured), 0);
    assert_true(fail_alloc_at(1));
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_true(fail_alloc_off());
    assert_string_equal(ctx->output, "");
}

static void test_loop_process_kill__running_then_ended__once(void **state)
{
    struct ctx *ctx = *state;

    assert_int_equal(start(ctx, "sleep 30", plain), 0);
    fail_uv_process_kill = UV_EPERM;
    assert_int_equal(loop_process_kill(ctx->process, SIGTERM), ERR_SYS);
    fail_uv_process_kill = UV_ESRCH;
    assert_int_equal(loop_process_kill(ctx->process, SIGTERM), ERR_NOT_FOUND);
    fail_uv_process_kill = 0;
    assert_int_equal(loop_process_kill(ctx->process, SIGTERM), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_int_equal(ctx->term_signal, SIGTERM);
    assert_int_equal(loop_process_kill(ctx->process, SIGTERM), ERR_NOT_FOUND);
}

static void test_loop_process_free__in_its_call__fine(void **state)
{
    struct ctx *ctx = *state;

    ctx->frees_itself = true;
    assert_int_equal(start(ctx, "echo x", captured), 0);
    assert_true(loop_wait(ctx->loop, &ctx->calls, 1));
    assert_string_equal(ctx->output, "x\n");
    assert_null(ctx->process);
}

static void test_loop_process_free__while_running__child_goes_on_and_is_reaped(void **state)
{
    struct ctx *ctx = *state;
    char path[] = "/tmp/tailgate-test-process-XXXXXX";
    char script[128];
    struct buf content CLEANUP_BUF = {.max = 100};
    char c;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    /* More output than the pipe holds: it must still be read. */
    (void)snprintf(script, sizeof(script), "head -c 200000 /dev/zero; echo done >%s", path);
    assert_int_equal(start(ctx, script, captured), 0);
    pid_t pid = loop_process_pid(ctx->process);
    loop_process_free(ctx->process);
    ctx->process = NULL;
    assert_true(wait_gone(ctx->loop, pid));
    while (read(fd, &c, 1) == 1)
        assert_int_equal(buf_append_char(&content, c), 0);
    assert_string_equal(content.data, "done\n");
    assert_int_equal(ctx->calls, 0);
    close(fd);
    assert_int_equal(unlink(path), 0);
}

static void test_loop_free__freed_child_still_running__loop_ends(void **state)
{
    struct ctx *ctx = *state;
    struct loop *l;
    struct loop_process *p;
    const char *const argv[] = {"sleep", "30", NULL};
    struct loop_process_opts opts = captured;

    opts.file = "sleep";
    opts.argv = argv;
    assert_int_equal(loop_new(&l), 0);
    assert_int_equal(loop_process_spawn(l, &opts, ended, ctx, &p), 0);
    pid_t pid = loop_process_pid(p);
    loop_process_free(p);
    loop_process_free(NULL);
    loop_free(l);
    assert_int_equal(kill(pid, 0), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(ctx->calls, 0);
}

#define LOOP_TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOOP_TEST(test_loop_process__ends__status_signal_and_output),
        LOOP_TEST(test_loop_process__much_output__cut),
        LOOP_TEST(test_loop_process__grandchild_keeps_the_output__called_soon),
        LOOP_TEST(test_loop_process__options__environment_cwd_descriptor_session),
        LOOP_TEST(test_loop_process__set_ids__no_group_is_left),
        LOOP_TEST(test_loop_process_spawn__cannot_start__sys_and_nothing_left),
        LOOP_TEST(test_loop_process_spawn__resources_missing__refused),
        LOOP_TEST(test_loop_process__no_memory_for_output__still_called),
        LOOP_TEST(test_loop_process_kill__running_then_ended__once),
        LOOP_TEST(test_loop_process_free__in_its_call__fine),
        LOOP_TEST(test_loop_process_free__while_running__child_goes_on_and_is_reaped),
        LOOP_TEST(test_loop_free__freed_child_still_running__loop_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
