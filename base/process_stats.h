/* What this process takes of the machine: what Prometheus' clients call process_*. */
#ifndef TAILGATE_BASE_PROCESS_STATS_H
#define TAILGATE_BASE_PROCESS_STATS_H

#include <stdint.h>

struct process_stats {
    int64_t cpu_us; /* user and system */
    uint64_t resident_bytes, virtual_bytes;
    uint64_t open_fds, max_fds; /* max: UINT64_MAX = no limit */
};
/* What cannot be read is 0. Reads two small things in /proc. */
void process_stats(struct process_stats *ret);

#endif
