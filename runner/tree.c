/*
 * Finds and signals descendants. One look at /proc is a list of (process, parent, start time);
 * a process is ours when its chain of parents leads here. Those forked while the look was going on
 * are found by the next one, so looks are repeated until nothing new shows up.
 */
#include "runner/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOOKS_MAX 16          /* against a command that forks faster than it is looked at */
#define PROCESSES_MAX 4194304 /* PID_MAX_LIMIT of 64-bit Linux */

struct process {
    pid_t pid, parent;
    uint64_t start; /* in clock ticks since boot: tells a reused id apart */
    bool ours;
    bool gone; /* zombie or dead: nothing to signal, but its children count */
};

struct table {
    struct process *p;
    size_t n, cap;
};

/* pid (comm) state ppid …, the 22nd field is the start time; comm may hold anything (proc(5)). */
static int parse_stat(char *text, struct process *ret)
{
    char *rest = strrchr(text, ')');
    char state = 0;
    int parent = 0;
    unsigned long long start = 0;

    if (rest == NULL)
        return -EBADMSG;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
    if (sscanf(rest + 1,
               " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &state, &parent, &start) != 3)
        return -EBADMSG;
    ret->parent = parent;
    ret->start = start;
    ret->gone = state == 'Z' || state == 'X';
    return 0;
}

static int read_process(int proc, pid_t pid, struct process *ret)
{
    char name[32];
    char text[1024];

    snprintf(name, sizeof(name), "%ld/stat", (long)pid);
    int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return -ESRCH;
    text[n] = '\0';
    *ret = (struct process){.pid = pid};
    return parse_stat(text, ret);
}

static int add(struct table *t, const struct process *p)
{
    if (t->n == t->cap) {
        size_t cap = t->cap == 0 ? 256 : t->cap * 2;
        if (cap > PROCESSES_MAX)
            return -E2BIG;
        struct process *grown = realloc(t->p, cap * sizeof(*grown));
        if (grown == NULL)
            return -ENOMEM;
        t->p = grown;
        t->cap = cap;
    }
    t->p[t->n++] = *p;
    return 0;
}

static int read_all(DIR *dir, struct table *t)
{
    const struct dirent *e = NULL;
    struct process p;

    rewinddir(dir);
    t->n = 0;
    while ((e = readdir(dir)) != NULL) {
        char *end = NULL;
        long pid = strtol(e->d_name, &end, 10);
        if (pid <= 0 || pid > PROCESSES_MAX || *end != '\0')
            continue;
        if (read_process(dirfd(dir), (pid_t)pid, &p) == 0) {
            int rc = add(t, &p);
            if (rc < 0)
                return rc;
        }
    }
    return 0;
}

static int by_pid(const void *a, const void *b)
{
    const struct process *x = a;
    const struct process *y = b;
    return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Marks from parent to child until a pass finds nothing more. */
static void mark_ours(struct table *t)
{
    pid_t self = getpid();
    bool found = t->n > 0;

    if (found)
        qsort(t->p, t->n, sizeof(*t->p), by_pid);
    while (found) {
        found = false;
        for (size_t i = 0; i < t->n; i++) {
            struct process *p = &t->p[i];
            struct process key = {.pid = p->parent};
            if (p->ours)
                continue;
            const struct process *parent = bsearch(&key, t->p, t->n, sizeof(key), by_pid);
            p->ours = p->parent == self || (parent != NULL && parent->ours);
            found = found || p->ours;
        }
    }
}

static bool has(const struct table *t, const struct process *p)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->p[i].pid == p->pid && t->p[i].start == p->start)
            return true;
    }
    return false;
}

/* Safe against the id having been reused since the look: first hold it, then compare. */
static bool signal_process(int proc, const struct process *p, int signum)
{
    struct process now = {.pid = 0};
    bool sent = false;

    int fd = (int)syscall(SYS_pidfd_open, p->pid, 0);
    if (fd < 0)
        return errno == ENOSYS && kill(p->pid, signum) == 0;
    if (read_process(proc, p->pid, &now) == 0 && now.start == p->start) {
        sent = syscall(SYS_pidfd_send_signal, fd, signum, NULL, 0) == 0;
        if (sent && signum == SIGTERM) /* a stopped one would never see it */
            (void)syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
    }
    close(fd);
    return sent;
}

/* Signals those not in `done` yet and adds them to it. Returns how many; 0 also on failure. */
static size_t signal_new(int proc, const struct table *look, struct table *done, int signum)
{
    size_t n = 0;
    for (size_t i = 0; i < look->n; i++) {
        const struct process *p = &look->p[i];
        if (!p->ours || p->gone || has(done, p))
            continue;
        if (signal_process(proc, p, signum))
            n++;
        if (add(done, p) < 0)
            return 0;
    }
    return n;
}

size_t tree_signal(int signum, pid_t group)
{
    struct table look = {0};
    struct table done = {0};
    size_t total = 0;

    DIR *dir = opendir("/proc");
    if (dir == NULL)
        return kill(-group, signum) == 0 ? 1 : 0;
    for (int i = 0; i < LOOKS_MAX; i++) {
        if (read_all(dir, &look) < 0)
            break;
        mark_ours(&look);
        size_t n = signal_new(dirfd(dir), &look, &done, signum);
        total += n;
        if (n == 0)
            break;
    }
    closedir(dir);
    free(look.p);
    free(done.p);
    return total;
}
