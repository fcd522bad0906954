/* Runs tailgate-runner in a temporary run directory and reads its spool. */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int64_t mono_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void breathe(void)
{
    struct timespec t = {.tv_nsec = 2000000};
    nanosleep(&t, NULL);
}

static char *copy(const char *s)
{
    char *c = strdup(s);
    assert_non_null(c);
    return c;
}

int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (f == NULL)
        return -1;
    snprintf(f->base, sizeof(f->base), "/tmp/tailgate-runner-test.XXXXXX");
    if (mkdtemp(f->base) == NULL || chmod(f->base, 0755) < 0)
        return -1;
    snprintf(f->run, sizeof(f->run), "%s/run", f->base);
    snprintf(f->work, sizeof(f->work), "%s/work", f->base);
    if (rundir_create(f->run, RUN_ID, 1) < 0 || mkdir(f->work, 0777) < 0 ||
        chmod(f->work, 0777) < 0)
        return -1;
    f->dirfd = rundir_open(f->run);
    f->pidfd = -1;
    snprintf(f->spec.id, sizeof(f->spec.id), "%s", RUN_ID);
    f->spec.workspace = copy(f->work);
    f->spec.grace_ms = 5000;
    f->spec.drain_ms = 2000;
    f->spec.spool_max = 256u << 20;
    fixture_env(f, "PATH=/usr/bin:/bin");
    *state = f;
    return f->dirfd < 0 ? -1 : 0;
}

static void remove_tree(const char *path)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
}

int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    if (f->pid > 0) { /* a test failed half-way: SIGTERM first, so that it ends its tree */
        kill(f->pid, SIGTERM);
        struct pollfd fd = {.fd = f->pidfd, .events = POLLIN};
        if (poll(&fd, 1, DEADLINE_MS) <= 0)
            kill(f->pid, SIGKILL);
        waitpid(f->pid, NULL, 0);
    }
    if (f->pidfd >= 0)
        close(f->pidfd);
    for (size_t i = 0; i < f->count; i++)
        free(f->records[i].payload);
    free(f->records);
    run_spec_done(&f->spec);
    close(f->dirfd);
    remove_tree(f->base);
    free(f);
    return 0;
}

void fixture_command(struct fixture *f, const char *command)
{
    free(f->spec.command);
    f->spec.command = copy(command);
}

void fixture_env(struct fixture *f, const char *entry)
{
    size_t n = 0;
    while (f->spec.env != NULL && f->spec.env[n] != NULL)
        n++;
    char **grown = realloc(f->spec.env, (n + 2) * sizeof(*grown));
    assert_non_null(grown);
    grown[n] = copy(entry);
    grown[n + 1] = NULL;
    f->spec.env = grown;
}

static pid_t spawn(const struct fixture *f)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl(RUNNER_PROGRAM, "tailgate-runner", f->run, (char *)NULL);
        _exit(127);
    }
    assert_true(pid > 0);
    return pid;
}

void run_start(struct fixture *f)
{
    assert_int_equal(run_spec_write(f->dirfd, &f->spec), 0);
    f->pid = spawn(f);
    f->pidfd = (int)syscall(SYS_pidfd_open, f->pid, 0);
    assert_true(f->pidfd >= 0);
}

int run_second(struct fixture *f)
{
    int status = 0;
    pid_t pid = spawn(f);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

void run_wait(struct fixture *f)
{
    struct pollfd fd = {.fd = f->pidfd, .events = POLLIN};
    if (poll(&fd, 1, DEADLINE_MS) != 1)
        fail_msg("the runner did not end in time");
    assert_int_equal(waitpid(f->pid, &f->status, 0), f->pid);
    f->pid = 0;
}

static void add_record(struct fixture *f, const struct spool_record *rec)
{
    if ((f->count & (f->count - 1)) == 0) { /* full at each power of two */
        size_t cap = f->count == 0 ? 1 : f->count * 2;
        struct record_copy *grown = realloc(f->records, cap * sizeof(*grown));
        assert_non_null(grown);
        f->records = grown;
    }
    struct record_copy *c = &f->records[f->count++];
    c->kind = rec->kind;
    c->flags = rec->flags;
    c->time_us = rec->time_us;
    c->len = rec->len;
    c->payload = malloc((size_t)rec->len + 1);
    assert_non_null(c->payload);
    memcpy(c->payload, rec->payload, rec->len);
    c->payload[rec->len] = '\0';
}

void run_read(struct fixture *f)
{
    struct spool_reader *r = NULL;
    struct spool_record rec;
    int rc = 0;

    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    assert_true(fd >= 0);
    assert_int_equal(spool_reader_new(fd, RUN_ID, 0, &r), 0);
    while ((rc = spool_reader_next(r, &rec)) == 0) {
        add_record(f, &rec);
        if (rec.kind == SPOOL_KIND_EXIT)
            assert_int_equal(spool_exit_unpack(rec.payload, rec.len, &f->exit), 0);
        if (rec.kind == SPOOL_KIND_BEGIN)
            memcpy(&f->begin_pid, rec.payload, sizeof(f->begin_pid));
    }
    assert_int_equal(rc, -ENODATA);
    spool_reader_free(r);
    close(fd);
}

void run_all(struct fixture *f)
{
    run_start(f);
    run_wait(f);
    assert_true(WIFEXITED(f->status));
    assert_int_equal(WEXITSTATUS(f->status), RUNDIR_RUNNER_DONE);
    run_read(f);
}

static bool find_record(struct fixture *f, uint8_t kind, const char *payload)
{
    struct spool_reader *r = NULL;
    struct spool_record rec;
    bool found = false;

    int fd = rundir_open_file(f->dirfd, RUNDIR_SPOOL, false);
    assert_true(fd >= 0);
    assert_int_equal(spool_reader_new(fd, RUN_ID, 0, &r), 0);
    while (!found && spool_reader_next(r, &rec) == 0)
        found = rec.kind == kind &&
                (payload == NULL ||
                 (rec.len == strlen(payload) && memcmp(rec.payload, payload, rec.len) == 0));
    spool_reader_free(r);
    close(fd);
    return found;
}

void run_await(struct fixture *f, uint8_t kind, const char *payload)
{
    int64_t deadline = mono_ms() + DEADLINE_MS;
    while (!find_record(f, kind, payload)) {
        if (mono_ms() > deadline)
            fail_msg("no record '%c' %s", kind, payload != NULL ? payload : "");
        breathe();
    }
}

struct bytes run_joined(const struct fixture *f, uint8_t kind)
{
    struct bytes b = {calloc(1, 1), 0};
    assert_non_null(b.p);
    for (size_t i = 0; i < f->count; i++) {
        const struct record_copy *c = &f->records[i];
        if (c->kind != kind)
            continue;
        b.p = realloc(b.p, b.n + c->len + 2);
        assert_non_null(b.p);
        memcpy(b.p + b.n, c->payload, c->len);
        b.n += c->len;
        if (c->flags == 0)
            b.p[b.n++] = '\n';
        b.p[b.n] = '\0';
    }
    return b;
}

void run_assert_joined(const struct fixture *f, uint8_t kind, const char *bytes, size_t n)
{
    struct bytes b = run_joined(f, kind);
    if (b.n != n || memcmp(b.p, bytes, n) != 0)
        print_error("stream %c has: %s\n", kind, b.p);
    assert_int_equal(b.n, n);
    assert_memory_equal(b.p, bytes, n);
    free(b.p);
}

size_t run_count_system(const struct fixture *f, const char *text)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++) {
        if (f->records[i].kind == SPOOL_KIND_SYSTEM && strstr(f->records[i].payload, text) != NULL)
            n++;
    }
    return n;
}

static bool is_gone(pid_t pid)
{
    char path[64];
    char text[512];
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return true;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return true;
    text[n] = '\0';
    const char *state = strrchr(text, ')');
    return state == NULL || state[1] == '\0' || state[2] == 'Z' || state[2] == 'X';
}

void await_gone(pid_t pid)
{
    int64_t deadline = mono_ms() + DEADLINE_MS;
    while (!is_gone(pid)) {
        if (mono_ms() > deadline)
            fail_msg("process %ld is still there", (long)pid);
        breathe();
    }
}

long await_number(struct fixture *f, const char *file)
{
    char path[160];
    int64_t deadline = mono_ms() + DEADLINE_MS;

    snprintf(path, sizeof(path), "%s/%s", f->work, file);
    for (;;) {
        char text[32] = {0};
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            ssize_t n = read(fd, text, sizeof(text) - 1);
            close(fd);
            if (n > 1 && text[n - 1] == '\n')
                return strtol(text, NULL, 10);
        }
        if (mono_ms() > deadline)
            fail_msg("no %s", path);
        breathe();
    }
}
