/* What all engines know of a run directory. */
#include "orchestrator/engine.h"

#include <errno.h>
#include <unistd.h>

int engine_liveness(const char *run_dir, enum rundir_liveness *ret)
{
    pid_t pid;
    int dirfd = rundir_open(run_dir);
    if (dirfd < 0)
        return dirfd == -ENOENT ? ERR_NOT_FOUND : ERR_SYS;
    int r = rundir_liveness(dirfd, ret, &pid);
    (void)close(dirfd);
    return r < 0 ? ERR_SYS : 0;
}
