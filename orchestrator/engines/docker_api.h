/*
 * The Docker Engine API (docs.docker.com/reference/api/engine, versions 1.40 to 1.43; Podman serves
 * the same), as far as an engine needs it. The version is negotiated with the first call; each
 * call has its deadline; the daemon's own words come back in problems.
 */
#ifndef TAILGATE_ORCHESTRATOR_ENGINES_DOCKER_API_H
#define TAILGATE_ORCHESTRATOR_ENGINES_DOCKER_API_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/json.h"
#include "base/loop.h"

struct docker_api;

/* host: "unix:///path/of/docker.sock" (DOCKER_HOST's form). ERR_INVALID: another scheme (the run
 * directory's files are mounted, so the daemon is on this host); ERR_NOMEM. */
MUST_CHECK int docker_api_new(struct loop *l, const char *host, struct docker_api **ret);
/* Calls end without their callback. Not inside one. NULL is fine. */
void docker_api_free(struct docker_api *api);
/* The socket's path. */
const char *docker_api_socket(const struct docker_api *api);

/*
 * err: 0; ERR_NOT_FOUND (404: no such image, no such container); ERR_CONFLICT (409: name in use,
 * still running); ERR_CLOSED (daemon away), ERR_TIMEOUT; ERR_INVALID (400); ERR_INTERNAL (5xx and
 * answers that are no JSON). p->details holds the daemon's words. json: the answer (borrowed), NULL
 * when it has none.
 */
typedef void (*docker_fn)(void *user, int err, const struct problem *p, const json_t *json);

/* Each returns 0 or ERR_NOMEM/ERR_INTERNAL, and then calls nothing. Never before it returns.
 * All calls of one user can be taken back. */
void docker_forget(struct docker_api *api, const void *user);

MUST_CHECK int docker_info(struct docker_api *api, docker_fn fn, void *user);
/* GET /images/{ref}/json */
MUST_CHECK int docker_image_inspect(struct docker_api *api, const char *ref, docker_fn fn,
                                    void *user);

/* GET /distribution/{ref}/json: what its registry offers (Docker only: Podman answers 404). auth:
 * as in docker_pull_opts. */
MUST_CHECK int docker_distribution(struct docker_api *api, const char *ref, const char *auth,
                                   docker_fn fn, void *user);

/* One line of a pull's progress, already put into words: "0a1b2c: Downloading 3.1MB/7.2MB". */
typedef void (*docker_progress_fn)(void *user, const char *layer, const char *status);
struct docker_pull_opts {
    const char *ref;
    const char *platform; /* "linux/arm64"; NULL = the daemon's */
    const char *auth;     /* X-Registry-Auth: base64url JSON; NULL = none */
    int64_t idle_timeout_ms;
    docker_progress_fn on_progress; /* must only take note */
};
/* POST /images/create; an error in the middle of the stream is fn's. */
MUST_CHECK int docker_pull(struct docker_api *api, const struct docker_pull_opts *opts,
                           docker_fn fn, void *user);

/* POST /containers/create; json has "Id" and "Warnings". config is borrowed. */
MUST_CHECK int docker_create(struct docker_api *api, const char *name, const char *platform,
                             const json_t *config, docker_fn fn, void *user);
/* Already started is 0. */
MUST_CHECK int docker_start(struct docker_api *api, const char *container, docker_fn fn,
                            void *user);
/* signal: "SIGTERM". ERR_CONFLICT: it does not run. */
MUST_CHECK int docker_kill(struct docker_api *api, const char *container, const char *signal,
                           docker_fn fn, void *user);
/* Until it runs no more, however long; json {"StatusCode"}. */
MUST_CHECK int docker_wait(struct docker_api *api, const char *container, docker_fn fn, void *user);
MUST_CHECK int docker_inspect(struct docker_api *api, const char *container, docker_fn fn,
                              void *user);
/* Kills it first when it runs. */
MUST_CHECK int docker_remove(struct docker_api *api, const char *container, docker_fn fn,
                             void *user);
/* All containers, ended ones too, with this label ("tailgate.gateway=ID"). json: an array. */
MUST_CHECK int docker_list(struct docker_api *api, const char *label, docker_fn fn, void *user);

#endif
