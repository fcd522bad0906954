/*
 * What the docker engine's sources share.
 *
 *   docker.c         operations, records of containers      docker_start.c  from image to started
 *   docker_config.c  what a container is made of            docker_end.c    why it ended, removal
 *   docker_health.c  what a reconcile asks
 */
#ifndef TAILGATE_ORCHESTRATOR_ENGINES_DOCKER_INTERNAL_H
#define TAILGATE_ORCHESTRATOR_ENGINES_DOCKER_INTERNAL_H

#include "base/list.h"
#include "orchestrator/engines/docker.h"
#include "orchestrator/engines/docker_api.h"

#define DOCKER_LABEL_EXECUTION "tailgate.execution"
#define DOCKER_LABEL_OWNER "tailgate.owner"
#define DOCKER_LABEL_GATEWAY "tailgate.gateway"
/* Where the container finds the runner and the run directory's files. */
#define DOCKER_DIR "/.tailgate"
#define DOCKER_WORKSPACE "/workspace"
/* Tells the runner who the image's user is (runner/container.c). */
#define DOCKER_USER_VARIABLE "TAILGATE_IMAGE_USER"
/* Owner of the mounted files: a user that no image has (below Debian's and Alpine's nobody). */
#define DOCKER_FILES_UID 65519
#define DOCKER_NAME_SIZE 64
#define DOCKER_RETRY_MS 1000

struct docker {
    struct engine base;
    struct loop *loop;
    struct docker_api *api;
    struct docker_opts opts; /* its strings are those below */
    char *gateway_id, *runner_path, *state_dir, *host_state_dir, *network;
    struct list containers; /* struct container */
    struct list endings;    /* struct ending */
    struct list questions;  /* struct question */
};

/* When a layer of the image being pulled was last told of. Further layers are told of without
 * pause.
 */
#define DOCKER_LAYERS_MAX 64
struct layer {
    int64_t told_ms;
    char id[32];
};

enum container_phase {
    CONTAINER_LOOKING, /* is the image there? */
    CONTAINER_PULLING,
    CONTAINER_CREATING,
    CONTAINER_STARTING,
    CONTAINER_RUNNING, /* its end is waited for */
    CONTAINER_STOPPED, /* stopped before it ran; started() is about to be told */
};

/* A start under way, or a container whose end is waited for. */
struct container {
    struct list node;
    struct docker *d;
    enum container_phase phase;
    char *run_dir, *image, *platform, *auth;
    char name[DOCKER_NAME_SIZE];
    bool is_stopping; /* asked to stop while the container was being created */
    json_t *config;
    struct loop_timer *timer; /* tries again, or tells of a stop */
    engine_fn started;
    engine_line_fn on_line;
    engine_gone_fn on_gone;
    void *user;
    struct layer layers[DOCKER_LAYERS_MAX];
    size_t layers_count;
};

/* "tailgate-EXECUTION_ID", from a run directory's last component. */
void docker_container_name(const char *run_dir, char ret[DOCKER_NAME_SIZE]);
void docker_container_free(struct container *c);

/* ---- docker_config.c ---- */
/* Body of POST /containers/create (a new reference). ERR_NOMEM, ERR_INVALID: a path that is not in
 * the state directory. */
MUST_CHECK int docker_config_make(const struct docker *d, const struct engine_run *run,
                                  json_t **ret);

/* ---- docker_start.c ---- */
/* The first step follows on a later turn, where a failure is told like all others. */
MUST_CHECK int docker_start_begin(struct container *c);
/* Gives the start up; started() is told later. False: it is too late for that. */
bool docker_start_stop(struct container *c);

/* ---- docker_end.c ---- */
MUST_CHECK int docker_explain(struct engine *engine, const char *run_dir, engine_verdict_fn fn,
                              void *user);
bool docker_clean(struct engine *engine, const char *run_dir);
void docker_endings_forget(struct docker *d, const void *user);
void docker_endings_free(struct docker *d);

/* ---- docker_health.c ---- */
MUST_CHECK int docker_check(struct engine *engine, engine_fn fn, void *user);
MUST_CHECK int docker_list_runs(struct engine *engine, engine_list_fn fn, void *user);
MUST_CHECK int docker_has_image(struct engine *engine, const char *ref, const char *auth,
                                engine_fn fn, void *user);
/* Credentials: wiped. NULL is fine. */
void docker_auth_free(char *auth);
void docker_questions_forget(struct docker *d, const void *user);
void docker_questions_free(struct docker *d);

#endif
