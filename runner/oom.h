/*
 * Whether the kernel killed something for want of memory, as the control group says that an engine
 * mounts into its container: "oom_kill N" in memory.events (v2) or memory.oom_control (v1). Engines
 * tell it of a container's first process at best, and that is the runner.
 */
#ifndef TAILGATE_RUNNER_OOM_H
#define TAILGATE_RUNNER_OOM_H

#include <stdint.h>

#define OOM_CGROUP "/sys/fs/cgroup"

/* Kills so far; 0 also where nothing tells of them. */
int64_t oom_kills(const char *cgroup);
/* The bound in bytes; 0: none, or nothing tells. */
int64_t oom_limit(const char *cgroup);

#endif
