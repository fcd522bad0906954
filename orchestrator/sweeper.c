/*
 * The sweep of workspaces whose retention is over (workspace.h).
 *
 *   idle ─(timer)▶ looking (thread pool) ─▶ which of them are live? (loop) ─▶ removing (thread
 * pool) ◀──────────────────────────────────────────────────────────────────────┘
 *
 * One job at a time carries both steps. It outlives the sweeper when that is freed in between.
 */
#include "orchestrator/workspace.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/model.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define INTERVAL_MIN_MS 1000
#define INTERVAL_MAX_MS (10 * 60 * 1000)
#define NAME_SIZE (EXECUTION_ID_LEN + 1)
/* Names of one job, far more than can be live; the rest goes in the next one, at once. */
#define NAMES_BYTES_MAX (65536 * NAME_SIZE)
#define CTIME_GRAIN_MS 20 /* st_ctime lags by up to a kernel tick */

struct sweep_job {
    struct sweeper *s; /* NULL once the sweeper was freed */
    atomic_bool cancel;
    char *dir;
    int64_t before_us; /* unchanged since then: due */
    struct buf names;  /* NAME_SIZE bytes each */
    bool more;
    int error; /* -errno of the removal */
};

struct sweeper {
    struct loop *loop;
    struct loop_timer *timer;
    char *dir;
    int64_t retention_ms, interval_ms;
    bool is_end_awaited; /* the timer stands at the end of a retention */
    sweeper_keep_fn keep;
    void *user;
    struct sweep_job *job;
};

static void job_free(struct sweep_job *j)
{
    buf_done(&j->names);
    free(j->dir);
    free(j);
}

static bool is_due(const struct sweep_job *j, int dirfd, const char *name)
{
    struct execution_id id;
    struct stat st;
    if (execution_id_parse(name, &id) < 0 || fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    return st.st_ctim.tv_sec * INT64_C(1000000) + st.st_ctim.tv_nsec / 1000 <= j->before_us;
}

/* Thread pool. */
static void look(void *user)
{
    struct sweep_job *j = user;
    DIR *dir = opendir(j->dir);
    if (!dir) {
        j->error = -errno;
        return;
    }
    const struct dirent *entry;
    while (!atomic_load(&j->cancel) && (entry = readdir(dir)) != NULL) {
        if (!is_due(j, dirfd(dir), entry->d_name))
            continue;
        if (buf_append(&j->names, entry->d_name, NAME_SIZE) < 0) {
            j->more = true;
            break;
        }
    }
    (void)closedir(dir);
}

/* Thread pool. */
static void remove_all(void *user)
{
    struct sweep_job *j = user;
    int fd = open(j->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        j->error = -errno;
        return;
    }
    for (size_t at = 0; at < j->names.len && !atomic_load(&j->cancel); at += NAME_SIZE) {
        int r = workspace_remove_tree(fd, j->names.data + at, &j->cancel);
        if (r < 0 && j->error == 0)
            j->error = r;
    }
    (void)close(fd);
}

static void finish(struct sweeper *s, bool again)
{
    struct sweep_job *j = TAKE_PTR(s->job);
    if (j->error < 0 && j->error != -ECANCELED)
        log_warn("cannot remove workspaces", "dir", j->dir, "error", strerror(-j->error));
    /* A batch that could not be removed must not be tried in a busy loop. */
    if (again && j->error == 0)
        loop_timer_start(s->timer, 0, s->interval_ms);
    job_free(j);
}

static void removed(void *user, int err)
{
    struct sweep_job *j = user;
    if (!j->s) {
        job_free(j);
        return;
    }
    if (err == 0)
        log_debug("workspaces removed", "count", LOG_NUM(j->names.len / NAME_SIZE));
    finish(j->s, j->more);
}

static void looked(void *user, int err)
{
    struct sweep_job *j = user;
    struct sweeper *s = j->s;
    if (!s) {
        job_free(j);
        return;
    }
    size_t due = 0;
    for (size_t at = 0; err == 0 && at < j->names.len; at += NAME_SIZE) {
        if (s->keep(s->user, j->names.data + at))
            continue;
        memmove(j->names.data + due, j->names.data + at, NAME_SIZE);
        due += NAME_SIZE;
    }
    j->names.len = due;
    if (due == 0 || loop_work_submit(s->loop, remove_all, removed, j) < 0)
        finish(s, false);
}

static void sweep(void *user)
{
    struct sweeper *s = user;
    s->is_end_awaited = false;
    if (s->job)
        return;
    struct sweep_job *j = calloc(1, sizeof *j);
    if (!j)
        return; /* the next interval tries again; so below */
    j->s = s;
    atomic_init(&j->cancel, false);
    buf_init(&j->names, NAMES_BYTES_MAX);
    j->before_us = clock_wall_us() - s->retention_ms * 1000;
    if (str_set(&j->dir, s->dir) < 0 || loop_work_submit(s->loop, look, looked, j) < 0) {
        job_free(j);
        return;
    }
    s->job = j;
}

int sweeper_new(struct loop *l, const char *dir, int64_t retention_ms, sweeper_keep_fn keep,
                void *user, struct sweeper **ret)
{
    struct sweeper *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->loop = l;
    s->keep = keep;
    s->user = user;
    s->retention_ms = retention_ms < 0 ? 0 : retention_ms;
    s->interval_ms = s->retention_ms / 10;
    if (s->interval_ms < INTERVAL_MIN_MS)
        s->interval_ms = INTERVAL_MIN_MS;
    if (s->interval_ms > INTERVAL_MAX_MS)
        s->interval_ms = INTERVAL_MAX_MS;
    int r = str_set(&s->dir, dir);
    if (r == 0)
        r = loop_timer_new(l, sweep, s, &s->timer);
    if (r < 0) {
        sweeper_free(s);
        return r;
    }
    *ret = s;
    return 0;
}

void sweeper_start(struct sweeper *s)
{
    loop_timer_start(s->timer, 0, s->interval_ms);
}

void sweeper_note_end(struct sweeper *s)
{
    /* With a longer retention the interval is soon enough. */
    if (s->is_end_awaited || s->retention_ms > INTERVAL_MIN_MS)
        return;
    s->is_end_awaited = true;
    loop_timer_start(s->timer, s->retention_ms + CTIME_GRAIN_MS, s->interval_ms);
}

bool sweeper_is_busy(const struct sweeper *s)
{
    return s->job != NULL;
}

void sweeper_free(struct sweeper *s)
{
    if (!s)
        return;
    loop_timer_free(s->timer);
    if (s->job) {
        atomic_store(&s->job->cancel, true);
        s->job->s = NULL;
    }
    free(s->dir);
    free(s);
}
