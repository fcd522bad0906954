/* What a start needs to know besides PostgreSQL. */
#ifndef TAILGATE_ORCHESTRATOR_RECOVER_H
#define TAILGATE_ORCHESTRATOR_RECOVER_H

#include <stdint.h>

#define RECOVER_HEARTBEAT_MS 5000

/* When the host was booted, from /proc/stat's btime (proc(5)); 0 when path does not tell. */
int64_t recover_boot_time_us(const char *path);

#endif
