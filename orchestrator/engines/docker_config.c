/*
 * What a container is made of (Engine API, POST /containers/create). The command has no capability
 * at all; those named here are the runner's: to open the mounted files, to give the workspace to
 * the command's user, to become that user, and to signal it.
 */
#include "orchestrator/engines/docker_internal.h"

#include "base/str.h"
#include "spool/rundir.h"

#include <stdio.h>
#include <string.h>

#define MIB (1LL << 20)
#define CPU_UNITS 1024 /* of an image's cpu: one CPU */

/* A path in the state directory as the Docker host sees it. */
static int host_path(const struct docker *d, const char *path, struct buf *ret)
{
    size_t n = strlen(d->state_dir);
    if (!d->host_state_dir)
        return buf_append_str(ret, path);
    if (strncmp(path, d->state_dir, n) != 0 || path[n] != '/')
        return ERR_INVALID;
    int err = buf_append_str(ret, d->host_state_dir);
    return err ? err : buf_append_str(ret, path + n);
}

static int add_mount(const struct docker *d, json_t *mounts, const char *source, const char *target,
                     bool read_only)
{
    struct buf path CLEANUP_BUF = {.max = 8192};
    int err = host_path(d, source, &path);
    if (err)
        return err;
    json_t *mount =
        json_pack("{s:s, s:s, s:s, s:b, s:{s:s}}", "Type", "bind", "Source", path.data, "Target",
                  target, "ReadOnly", read_only, "BindOptions", "Propagation", "rprivate");
    return json_array_append_new(mounts, mount) ? ERR_NOMEM : 0;
}

static int add_mounts(const struct docker *d, const struct engine_run *run, json_t *mounts)
{
    static const struct {
        const char *name;
        bool read_only;
    } files[] = {
        {RUNDIR_SPEC, false}, /* emptied once it was read */
        {RUNDIR_SPOOL, false},
        {RUNDIR_ACK, true},
        {RUNDIR_LOCK, false},
    };
    char source[4096], target[64];
    int err = add_mount(d, mounts, d->runner_path, DOCKER_DIR "/runner", true);
    for (size_t i = 0; !err && i < ARRAY_SIZE(files); i++) {
        if (snprintf(source, sizeof(source), "%s/%s", run->run_dir, files[i].name) >=
            (int)sizeof(source))
            return ERR_INVALID;
        (void)snprintf(target, sizeof(target), DOCKER_DIR "/%s", files[i].name);
        err = add_mount(d, mounts, source, target, files[i].read_only);
    }
    return err ? err : add_mount(d, mounts, run->workspace, DOCKER_WORKSPACE, false);
}

/* 0 where nothing is to be limited. */
static int64_t memory_of(const struct docker *d, const struct engine_run *run)
{
    return run->memory > 0 ? run->memory * MIB : d->opts.memory_bytes;
}

static json_t *host_config(const struct docker *d, const struct engine_run *run)
{
    int64_t memory = memory_of(d, run), nano_cpus = run->cpu * 1000000000 / CPU_UNITS;
    json_t *tmpfs = d->opts.read_only_root ? json_pack("{s:s}", "/tmp", "") : json_object();
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:[s], s:[s,s,s,s,s], s:[s], s:b, s:o, s:{s:s},"
                     " s:{s:s, s:{s:s, s:s}}, s:b}",
                     "NetworkMode", d->network, "Memory", (json_int_t)memory, "MemorySwap",
                     (json_int_t)memory, "NanoCpus", (json_int_t)nano_cpus, "PidsLimit",
                     (json_int_t)d->opts.pids_max, "CapDrop", "ALL", "CapAdd", "CHOWN",
                     "DAC_OVERRIDE", "KILL", "SETGID", "SETUID", "SecurityOpt", "no-new-privileges",
                     "ReadonlyRootfs", d->opts.read_only_root, "Tmpfs", tmpfs, "RestartPolicy",
                     "Name", "no", "LogConfig", "Type", "json-file", "Config", "max-size", "64k",
                     "max-file", "1", "AutoRemove", false);
}

static json_t *container_config(const struct docker *d, const struct engine_run *run, json_t *host)
{
    return json_pack("{s:s, s:[s,s], s:[], s:s, s:s, s:b, s:b, s:{s:s, s:s, s:s}, s:o}", "Image",
                     run->image, "Entrypoint", DOCKER_DIR "/runner", DOCKER_DIR, "Cmd", "User",
                     "0:0", "WorkingDir", "/", "Tty", false, "OpenStdin", false, "Labels",
                     DOCKER_LABEL_EXECUTION, run->row->id.hex, DOCKER_LABEL_OWNER,
                     run->row->created_by ? run->row->created_by : "", DOCKER_LABEL_GATEWAY,
                     d->gateway_id, "HostConfig", host);
}

int docker_config_make(const struct docker *d, const struct engine_run *run, json_t **ret)
{
    json_t *host CLEANUP_JSON = host_config(d, run);
    json_t *mounts = json_array();
    if (!host || !mounts || json_object_set_new(host, "Mounts", mounts))
        return ERR_NOMEM;
    int err = add_mounts(d, run, mounts);
    if (err)
        return err;
    json_t *config = container_config(d, run, json_incref(host));
    if (!config)
        return ERR_NOMEM;
    *ret = config;
    return 0;
}
