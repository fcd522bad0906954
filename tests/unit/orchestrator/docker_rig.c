#include "docker_rig.h"

#include "base/log.h"
#include "spool/rundir.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_started(void *user, int err, const struct problem *p)
{
    struct place *pl = user;
    pl->started++;
    pl->err = err;
    if (p)
        pl->p = *p;
}

static void on_line(void *user, const char *line)
{
    struct place *pl = user;
    pl->lines++;
    (void)snprintf(pl->line, sizeof(pl->line), "%s", line);
}

static void on_gone(void *user)
{
    struct place *pl = user;
    pl->gone++;
}

void on_verdict(void *user, const char *reason, const char *line)
{
    struct place *pl = user;
    pl->verdicts++;
    (void)snprintf(pl->reason, sizeof(pl->reason), "%s", reason);
    (void)snprintf(pl->words, sizeof(pl->words), "%s", line);
}

struct docker_opts opts_of(const struct place *p, char host[96])
{
    (void)snprintf(host, 96, "unix://%s", scripted_server_path(p->server));
    return (struct docker_opts){
        .host = host,
        .gateway_id = "g1",
        .runner_path = "/usr/lib/tailgate-runner",
        .state_dir = p->dir,
        .network = "none",
        .pull = DOCKER_PULL_MISSING,
        .pull_idle_timeout_ms = 60000,
        .pids_max = 512,
        .memory_bytes = 1 << 30,
    };
}

void begin(struct place *p, const char *const *answers, size_t n, const struct docker_opts *opts)
{
    char host[96];
    log_setup(LOG_ERROR, LOG_LOGFMT);
    memset(p, 0, sizeof(*p));
    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/docker.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->run_dir, sizeof(p->run_dir), "%s/" ID, p->dir);
    (void)snprintf(p->workspace, sizeof(p->workspace), "%s/work", p->dir);
    assert_int_equal(rundir_create(p->run_dir, ID, 1), 0);
    (void)snprintf(p->row.id.hex, sizeof(p->row.id.hex), "%s", ID);
    assert_int_equal(loop_new(&p->loop), 0);
    scripted_server_new(p->loop, answers, n, &p->server);
    struct docker_opts o = opts ? *opts : opts_of(p, host);
    if (opts) {
        struct docker_opts usual = opts_of(p, host);
        o.host = usual.host;
        o.state_dir = usual.state_dir;
    }
    assert_int_equal(engine_docker_new(p->loop, &o, &p->e), 0);
}

void end(struct place *p)
{
    p->e->ops->free(p->e);
    scripted_server_free(p->server);
    loop_free(p->loop);
    assert_int_equal(rundir_remove(p->run_dir), 0);
    assert_int_equal(rmdir(p->dir), 0);
}

int start(struct place *p)
{
    static const struct engine_start fns = {on_started, on_line, on_gone};
    const struct engine_run run = {
        .run_dir = p->run_dir,
        .workspace = p->workspace,
        .row = &p->row,
        .image = "busybox:1.36",
        .platform = "linux/amd64",
        .cpu = 512,
        .memory = 64,
    };
    return p->e->ops->start(p->e, &run, &fns, p);
}

void assert_request(const struct place *p, size_t n, const char *line)
{
    const char *request = scripted_server_request(p->server, n);
    print_message("%.90s\n", request);
    assert_int_equal(strncmp(request, line, strlen(line)), 0);
}

void await_requests(struct place *p, size_t n)
{
    int64_t deadline = clock_mono_ms() + LOOP_WAIT_MS;
    while (scripted_server_count(p->server) < n && clock_mono_ms() < deadline)
        assert_int_equal(loop_turn(p->loop, 50), 0);
    assert_int_equal(scripted_server_count(p->server), n);
}
