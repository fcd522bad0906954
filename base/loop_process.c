/*
 * Child processes. One record lives from the spawn until its owner has freed it and the child has
 * ended, so that every child is reaped; loop_free closes those that are left. The owner hears once:
 * when the child has ended and its output is at its end, or OUTPUT_GRACE_MS after the end, since a
 * grandchild (pg_ctl's postmaster) may hold the pipe for good.
 */
#include "base/loop_internal.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define OUTPUT_GRACE_MS 200
#define READ_SIZE 4096

struct loop_process {
    uv_process_t uv;
    uv_pipe_t pipe;   /* the read end of the child's output */
    uv_timer_t grace; /* between the end and the call, while the pipe is open */
    struct loop *loop;
    struct list node; /* in loop.orphans once freed */
    loop_process_fn fn;
    void *user;
    struct buf output;
    int64_t exit_status;
    int term_signal;
    unsigned handles; /* not yet closed */
    bool has_exited, has_output_ended, has_fired, is_freed;
    char chunk[READ_SIZE];
};

static void handle_closed(uv_handle_t *handle)
{
    struct loop_process *p = handle->data;

    if (--p->handles > 0)
        return;
    buf_done(&p->output);
    free(p);
}

static void close_all(struct loop_process *p)
{
    list_remove(&p->node);
    uv_close((uv_handle_t *)&p->uv, handle_closed);
    uv_close((uv_handle_t *)&p->pipe, handle_closed);
    uv_close((uv_handle_t *)&p->grace, handle_closed);
}

static void fire(struct loop_process *p)
{
    if (p->has_fired)
        return;
    p->has_fired = true;
    (void)uv_timer_stop(&p->grace);              /* always 0 */
    (void)uv_read_stop((uv_stream_t *)&p->pipe); /* always 0 */
    if (p->is_freed) {
        close_all(p);
        return;
    }
    p->fn(p->user, p->term_signal ? -1 : p->exit_status, p->term_signal,
          p->output.data ? p->output.data : "");
}

static void grace_over(uv_timer_t *timer)
{
    fire(timer->data);
}

static void process_exited(uv_process_t *uv, int64_t exit_status, int term_signal)
{
    struct loop_process *p = CONTAINER_OF(uv, struct loop_process, uv);

    p->has_exited = true;
    p->exit_status = exit_status;
    p->term_signal = term_signal;
    if (p->has_output_ended) {
        fire(p);
        return;
    }
    uv_update_time(&p->loop->uv);
    (void)uv_timer_start(&p->grace, grace_over, OUTPUT_GRACE_MS, 0);
}

static void give_chunk(uv_handle_t *handle, size_t suggested UNUSED, uv_buf_t *ret)
{
    struct loop_process *p = handle->data;

    *ret = uv_buf_init(p->chunk, sizeof(p->chunk));
}

static void output_came(uv_stream_t *stream, ssize_t n, const uv_buf_t *chunk)
{
    struct loop_process *p = stream->data;

    if (n < 0) {
        p->has_output_ended = true;
        (void)uv_read_stop(stream);
        if (p->has_exited)
            fire(p);
        return;
    }
    size_t room = p->output.max - p->output.len;
    size_t take = (size_t)n < room ? (size_t)n : room;
    if (take > 0 && buf_append(&p->output, chunk->base, take) < 0)
        p->output.max = p->output.len; /* out of memory: what came so far must do */
}

static struct loop_process *process_alloc(struct loop *l, loop_process_fn fn, void *user)
{
    struct loop_process *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->loop = l;
    p->fn = fn;
    p->user = user;
    p->handles = 3;
    list_init(&p->node);
    buf_init(&p->output, LOOP_PROCESS_OUTPUT_MAX);
    (void)uv_pipe_init(&l->uv, &p->pipe, 0); /* both always 0 */
    (void)uv_timer_init(&l->uv, &p->grace);
    p->uv.data = p->pipe.data = p->grace.data = p;
    return p;
}

/* Starts reading what will come from the write end *ret_fd, which the caller closes. */
static int open_output(struct loop_process *p, int *ret_fd)
{
    int fds[2];

    if (pipe2(fds, O_CLOEXEC) < 0) {
        log_error("cannot make a pipe", "error", strerror(errno));
        return ERR_SYS;
    }
    int r = uv_pipe_open(&p->pipe, fds[0]);
    if (r < 0) {
        close(fds[0]);
        close(fds[1]);
        return loop_error(r, "uv_pipe_open");
    }
    r = uv_read_start((uv_stream_t *)&p->pipe, give_chunk, output_came);
    if (r < 0) {
        close(fds[1]);
        return loop_error(r, "uv_read_start");
    }
    *ret_fd = fds[1];
    return 0;
}

static int spawn(struct loop_process *p, const struct loop_process_opts *opts, int output_fd)
{
    uv_stdio_container_t stdio[4] = {
        {.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}, {.flags = UV_IGNORE}};
    /* libuv takes argv and env without const and leaves them alone. */
    uv_process_options_t options = {
        .exit_cb = process_exited,
        .file = opts->file,
        .args = (char **)(uintptr_t)opts->argv,
        .env = (char **)(uintptr_t)opts->env,
        .cwd = opts->cwd,
        .stdio = stdio,
        .stdio_count = 3,
        .uid = opts->uid,
        .gid = opts->gid,
    };

    if (opts->detached)
        options.flags |= UV_PROCESS_DETACHED;
    if (opts->set_ids) /* libuv then drops the supplementary groups too */
        options.flags |= UV_PROCESS_SETUID | UV_PROCESS_SETGID;
    if (output_fd >= 0) {
        stdio[1] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = output_fd};
        stdio[2] = stdio[1];
    }
    if (opts->inherit_fd >= 0) {
        stdio[3] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = opts->inherit_fd};
        options.stdio_count = 4;
    }
    int r = uv_spawn(&p->loop->uv, &p->uv, &options);
    if (r < 0) {
        log_error("cannot start a process", "file", opts->file, "error", uv_strerror(r));
        return r == UV_ENOMEM ? ERR_NOMEM : ERR_SYS;
    }
    return 0;
}

int loop_process_spawn(struct loop *l, const struct loop_process_opts *opts, loop_process_fn fn,
                       void *user, struct loop_process **ret)
{
    int output_fd = -1;
    struct loop_process *p = process_alloc(l, fn, user);

    if (!p)
        return ERR_NOMEM;
    p->has_output_ended = !opts->capture_output;
    int r = opts->capture_output ? open_output(p, &output_fd) : 0;
    if (r == 0) {
        r = spawn(p, opts, output_fd);
    } else {
        p->handles--; /* the process handle was never made */
        uv_close((uv_handle_t *)&p->pipe, handle_closed);
        uv_close((uv_handle_t *)&p->grace, handle_closed);
        return r;
    }
    if (output_fd >= 0)
        close(output_fd);
    if (r < 0) {
        close_all(p);
        return r;
    }
    *ret = p;
    return 0;
}

int loop_process_kill(struct loop_process *p, int signum)
{
    if (p->has_exited) /* its id may be another's by now */
        return ERR_NOT_FOUND;
    int r = uv_process_kill(&p->uv, signum);
    if (r == UV_ESRCH)
        return ERR_NOT_FOUND;
    return r < 0 ? loop_error(r, "uv_process_kill") : 0;
}

pid_t loop_process_pid(const struct loop_process *p)
{
    return p->uv.pid;
}

void loop_process_free(struct loop_process *p)
{
    if (!p)
        return;
    if (p->has_fired) {
        close_all(p);
        return;
    }
    /* The child goes on: it still writes to the pipe and must be reaped, without holding the loop.
     */
    p->is_freed = true;
    list_append(&p->loop->orphans, &p->node);
    uv_unref((uv_handle_t *)&p->uv);
    uv_unref((uv_handle_t *)&p->pipe);
    uv_unref((uv_handle_t *)&p->grace);
}

void loop_process_close_orphans(struct loop *l)
{
    LIST_FOREACH_SAFE (it, &l->orphans)
        close_all(LIST_ENTRY(it, struct loop_process, node));
}
