/* Engine `docker` against a scripted daemon, on the real loop and a real run directory. */
#ifndef TAILGATE_TESTS_DOCKER_RIG_H
#define TAILGATE_TESTS_DOCKER_RIG_H

#include "orchestrator/engines/docker.h"

#include "scripted_server.h"

#include "../base/loop_wait.h"
#include "../base/unit.h"

#define ID "00004fe60000000100000000000000aa"
#define NAME "tailgate-" ID
#define VERSION scripted_json(200, "{\"ApiVersion\":\"1.41\"}")
#define OK scripted_json(200, "{}")
#define CREATED scripted_json(201, "{\"Id\":\"c\",\"Warnings\":[\"no swap\"]}")
#define GONE scripted_json(404, "{\"message\":\"No such container\"}")

struct place {
    char dir[64], run_dir[128], workspace[128];
    struct loop *loop;
    struct scripted_server *server;
    struct engine *e;
    struct execution row;
    int started, err, gone, lines, verdicts;
    struct problem p;
    char line[640], reason[64], words[640];
};

/* The usual options; host gets the socket's name. */
struct docker_opts opts_of(const struct place *p, char host[96]);
/* opts NULL: the usual ones; else with the place's host and state directory. */
void begin(struct place *p, const char *const *answers, size_t n, const struct docker_opts *opts);
void end(struct place *p);
/* Starts a run of busybox:1.36; what it tells is kept in the place. */
int start(struct place *p);
/* What explain is to be called with. */
void on_verdict(void *user, const char *reason, const char *line);
/* The n-th request begins so. */
void assert_request(const struct place *p, size_t n, const char *line);
/* Turns the loop until that many requests came. */
void await_requests(struct place *p, size_t n);

#endif
