/* What a start needs to know besides PostgreSQL. */
#ifndef TAILGATE_ORCHESTRATOR_RECOVER_H
#define TAILGATE_ORCHESTRATOR_RECOVER_H

#include <stdint.h>

struct orchestrator;
struct store_launch;

/* Goes on with an execution that is ours now, in that state directory. ERR_NOMEM: nothing was done.
 */
int recover_adopt(struct orchestrator *o, const char *state_dir, const struct store_launch *launch);

/* When the host was booted, from /proc/stat's btime (proc(5)); 0 when path does not tell. */
int64_t recover_boot_time_us(const char *path);

#endif
