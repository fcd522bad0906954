/* /proc/self, getrusage(2) and getrlimit(2). */
#include "base/process_stats.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define US_PER_S 1000000

static int64_t to_us(const struct timeval *t)
{
    return (int64_t)t->tv_sec * US_PER_S + t->tv_usec;
}

/* proc(5), statm: total and resident size in pages. */
static void read_memory(struct process_stats *ret)
{
    unsigned long long total = 0, resident = 0;
    long page = sysconf(_SC_PAGESIZE);
    FILE *f = fopen("/proc/self/statm", "re");

    if (!f)
        return;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers */
    if (page > 0 && fscanf(f, "%llu %llu", &total, &resident) == 2) {
        ret->virtual_bytes = total * (uint64_t)page;
        ret->resident_bytes = resident * (uint64_t)page;
    }
    (void)fclose(f);
}

static uint64_t count_fds(void)
{
    uint64_t n = 0;
    DIR *dir = opendir("/proc/self/fd");

    if (!dir)
        return 0;
    for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
        n += e->d_name[0] != '.';
    (void)closedir(dir);
    return n > 0 ? n - 1 : 0; /* the directory's own */
}

void process_stats(struct process_stats *ret)
{
    struct rusage usage;
    struct rlimit files;

    *ret = (struct process_stats){.open_fds = count_fds()};
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        ret->cpu_us = to_us(&usage.ru_utime) + to_us(&usage.ru_stime);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        ret->max_fds = files.rlim_cur == RLIM_INFINITY ? UINT64_MAX : files.rlim_cur;
    read_memory(ret);
}
