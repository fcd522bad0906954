/*
 * Engine `docker`: a container an execution, on Docker Engine or Podman over its local socket, with
 * the same runner, spool and log path as engine `process`.
 *
 *   image there? ─no▶ pull ─▶ create ─▶ start ─▶ running ─(ended)▶ gone ─▶ removed
 *
 * The runner is mounted read-only as the entry point and the run directory's files one by one: made
 * first by tailgated and owned by nobody in the container, so that the command can neither replace
 * nor open them. The runner alone has the capabilities to do so; the command has none.
 */
#ifndef TAILGATE_ORCHESTRATOR_ENGINES_DOCKER_H
#define TAILGATE_ORCHESTRATOR_ENGINES_DOCKER_H

#include "base/loop.h"
#include "orchestrator/engine.h"

enum docker_pull_policy { DOCKER_PULL_MISSING, DOCKER_PULL_ALWAYS, DOCKER_PULL_NEVER };

struct docker_opts {  /* strings are copied */
    const char *host; /* "unix:///var/run/docker.sock" */
    const char *gateway_id;
    const char *runner_path, *state_dir; /* as tailgated sees them */
    const char *host_state_dir;          /* … as the Docker host sees it; NULL = the same */
    const char *network;                 /* network mode: "none", "bridge", a network's name */
    enum docker_pull_policy pull;
    int64_t pull_idle_timeout_ms;
    int64_t pids_max;
    int64_t memory_bytes; /* when the image names none; 0 = no limit */
    bool read_only_root;
};
/* ERR_INVALID: host is not a unix socket. */
MUST_CHECK int engine_docker_new(struct loop *l, const struct docker_opts *opts,
                                 struct engine **ret);

#endif
