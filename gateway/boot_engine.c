/* From settings to an engine (boot_engine.h). */
#include "gateway/boot_engine.h"

#include "base/err.h"
#include "base/str.h"
#include "orchestrator/engines/docker.h"
#include "orchestrator/engines/process.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DOCKER_HOST_USUAL "unix:///var/run/docker.sock"
#define ENGINE_DOCKER 1 /* of options.engine's choices */

static const char *docker_host(const struct options *o)
{
    const char *host = o->docker_host ? o->docker_host : getenv("DOCKER_HOST");
    return str_is_empty(host) ? DOCKER_HOST_USUAL : host;
}

static bool is_in(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    return strncmp(path, dir, n) == 0 && path[n] == '/';
}

int boot_engine_check(const struct options *o, struct buf *error)
{
    const char *rule = NULL;
    if (o->engine != ENGINE_DOCKER)
        return 0;
    if (!str_starts_with(docker_host(o), "unix:///"))
        rule = "--docker-host: must be unix:///PATH, for files of this host are mounted";
    else if (o->docker_host_state_dir && o->docker_host_state_dir[0] != '/')
        rule = "--docker-host-state-dir: must be an absolute path";
    else if (o->docker_host_state_dir && o->runner && !is_in(o->runner, o->state_dir))
        rule = "--runner: must be in the state directory, where the Docker host finds it "
               "(--docker-host-state-dir)";
    else if (str_is_empty(o->docker_network))
        rule = "--docker-network: must name a network";
    if (!rule)
        return 0;
    int err = buf_append_str(error, rule);
    return err ? err : ERR_INVALID;
}

char *boot_container_user(const struct options *o)
{
    char text[32];
    if (o->docker_user || geteuid() == 0)
        return strdup(o->docker_user ? o->docker_user : "");
    /* Another user could not write to a workspace that is ours, nor we remove what it made. */
    (void)snprintf(text, sizeof(text), "%u:%u", (unsigned)geteuid(), (unsigned)getegid());
    return strdup(text);
}

int boot_engine_new(struct loop *l, const struct options *o, const char *gateway_id,
                    struct engine **ret)
{
    const struct docker_opts docker = {
        .host = docker_host(o),
        .gateway_id = gateway_id,
        .runner_path = o->runner,
        .state_dir = o->state_dir,
        .host_state_dir = o->docker_host_state_dir,
        .network = o->docker_network,
        .pull = (enum docker_pull_policy)o->pull,
        .pull_idle_timeout_ms = o->pull_timeout_ms,
        .pids_max = o->docker_pids,
        .memory_bytes = (int64_t)o->docker_memory,
        .read_only_root = o->docker_read_only,
    };
    if (o->engine == ENGINE_DOCKER)
        return engine_docker_new(l, &docker, ret);
    return engine_process_new(l, o->runner, ret);
}
