/*
 * The private cluster's life, one program after the other:
 *
 *   VERSION ─▶ CLEAN (rm pg.new) ─▶ INITDB ─▶ START (pg_ctl) ─▶ UP ◀──┐
 *      └─ there is a data directory ───────────▶ ▲               │ gone │
 *      └─ a postmaster runs there ─▶ ADOPT ──────┼──▶ UP         ▼      │
 *                                                └───────────── DOWN ───┘
 *   any ─stop▶ (the running program ends) ─▶ STOPPING ─▶ STOPPED
 */
#include "db/cluster.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "db/cluster_files.h"

#include <stdio.h>
#include <string.h>

#define WATCH_MS 2000
#define ADOPT_POLL_MS 50
#define ADOPT_PATIENCE_MS 60000 /* as pg_ctl's own: crash recovery takes its time */
/* Backends of a postmaster that was killed leave its shared memory a moment later: until then
 * pg_ctl start fails. */
#define START_PATIENCE_MS 15000
#define START_RETRY_MS 500
#define CONNINFO_BYTES_MAX 8192

enum cluster_state {
    CLUSTER_NEW,
    CLUSTER_VERSION,
    CLUSTER_CLEAN,
    CLUSTER_INITDB,
    CLUSTER_ADOPT,
    CLUSTER_START,
    CLUSTER_UP,
    CLUSTER_DOWN,
    CLUSTER_STOPPING,
    CLUSTER_STOPPED,
};

struct db_cluster {
    struct loop *loop;
    struct cluster_files files;
    char *bin_dir; /* as given; NULL = look for it */
    enum cluster_state state;
    struct loop_timer *timer; /* begins, polls, watches */
    struct loop_process *process;
    int64_t adopt_until_ms;
    int64_t start_until_ms; /* 0 = not tried yet */
    struct buf conninfo;
    bool stop_wanted;
    db_cluster_fn fn; /* of the start; NULL once called */
    void *user;
    db_cluster_fn stop_fn;
    void *stop_user;
};

static void set_state(struct db_cluster *c, enum cluster_state s)
{
    static const char *const names[] = {"new",   "version", "clean", "initdb",   "adopt",
                                        "start", "up",      "down",  "stopping", "stopped"};
    log_debug("private cluster", "from", names[c->state], "to", names[s]);
    c->state = s;
}

static void on_ended(void *user, int64_t exit_status, int term_signal, const char *output);

/* Runs BIN/program as PostgreSQL's user, without our environment (PGPORT, PGDATA, …). */
static int run(struct db_cluster *c, enum cluster_state s, const char *program,
               const char *const *args)
{
    static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC",
                                      NULL};
    char path[PATH_MAX];
    const char *argv[16] = {path};
    int n = *program == '/' ? snprintf(path, sizeof(path), "%s", program)
                            : snprintf(path, sizeof(path), "%s/%s", c->files.bin, program);
    if (n < 0 || (size_t)n >= sizeof(path))
        return ERR_INVALID;
    for (size_t i = 0; args[i] && i + 2 < ARRAY_SIZE(argv); i++)
        argv[i + 1] = args[i];
    struct loop_process_opts opts = LOOP_PROCESS_DEFAULTS;
    opts.file = path;
    opts.argv = argv;
    opts.env = env;
    opts.cwd = "/";
    opts.capture_output = true;
    if (c->files.as_root && s != CLUSTER_CLEAN) {
        opts.set_ids = true;
        opts.uid = c->files.uid;
        opts.gid = c->files.gid;
    }
    int r = loop_process_spawn(c->loop, &opts, on_ended, c, &c->process);
    if (r == 0)
        set_state(c, s);
    return r;
}

/* The first start failed, or a later one: then the watch tries again. */
static void failed(struct db_cluster *c, int err)
{
    db_cluster_fn fn = TAKE_PTR(c->fn);
    set_state(c, CLUSTER_DOWN);
    if (fn)
        fn(c->user, err);
    else
        loop_timer_start(c->timer, WATCH_MS, 0);
}

static void up(struct db_cluster *c)
{
    int r = cluster_conninfo(&c->files, &c->conninfo);
    if (r < 0) {
        failed(c, r);
        return;
    }
    set_state(c, CLUSTER_UP);
    log_info("private PostgreSQL is up", "data", c->files.data, "socket", c->files.socket_dir);
    loop_timer_start(c->timer, WATCH_MS, WATCH_MS);
    db_cluster_fn fn = TAKE_PTR(c->fn);
    if (fn)
        fn(c->user, 0);
}

static void stopped(struct db_cluster *c, int err)
{
    set_state(c, CLUSTER_STOPPED);
    loop_timer_stop(c->timer);
    db_cluster_fn fn = TAKE_PTR(c->stop_fn);
    if (fn)
        fn(c->stop_user, err);
}

static void stop_now(struct db_cluster *c)
{
    const char *const args[] = {"stop", "-D", c->files.data, "-m", "fast", "-w", "-s", NULL};
    bool ready;
    int r = 0;
    loop_timer_stop(c->timer);
    if (*c->files.bin && cluster_postmaster(&c->files, &ready) > 0)
        r = run(c, CLUSTER_STOPPING, "pg_ctl", args);
    if (c->state != CLUSTER_STOPPING)
        stopped(c, r);
}

/* Adopts a postmaster or starts one. */
static int start(struct db_cluster *c)
{
    char log[PATH_MAX];
    const char *const args[] = {"start", "-D", c->files.data, "-l", log, "-w", "-s", NULL};
    bool ready;
    if (cluster_postmaster(&c->files, &ready) > 0) {
        log_info("PostgreSQL is already running here: going on with it", "data", c->files.data);
        c->adopt_until_ms = clock_mono_ms() + ADOPT_PATIENCE_MS;
        set_state(c, CLUSTER_ADOPT);
        loop_timer_start(c->timer, 0, 0);
        return 0;
    }
    int n = snprintf(log, sizeof(log), "%s/startup.log", c->files.data);
    if (n < 0 || (size_t)n >= sizeof(log))
        return ERR_INVALID;
    if (c->start_until_ms == 0)
        c->start_until_ms = clock_mono_ms() + START_PATIENCE_MS;
    int r = cluster_prepare_start(&c->files);
    return r < 0 ? r : run(c, CLUSTER_START, "pg_ctl", args);
}

static void poll_adopted(struct db_cluster *c)
{
    bool ready;
    if (cluster_postmaster(&c->files, &ready) == 0) {
        int r = start(c); /* it was on its way out */
        if (r < 0)
            failed(c, r);
    } else if (ready) {
        up(c);
    } else if (clock_mono_ms() > c->adopt_until_ms) {
        log_error("PostgreSQL does not become ready", "data", c->files.data);
        failed(c, ERR_SYS);
    } else {
        loop_timer_start(c->timer, ADOPT_POLL_MS, 0);
    }
}

static int initdb(struct db_cluster *c)
{
    char pwfile[PATH_MAX + 16];
    (void)snprintf(pwfile, sizeof(pwfile), "--pwfile=%s", c->files.password_file);
    /* 4 MiB segments: a small cluster stays small, a busy one does not switch all the time. */
    const char *const args[] = {"-D",
                                c->files.fresh,
                                "-U",
                                "postgres",
                                "--encoding=UTF8",
                                "--locale=C",
                                "--wal-segsize=4",
                                "--auth-host=reject",
                                "--no-instructions",
                                c->files.as_root ? "--auth-local=peer"
                                                 : "--auth-local=scram-sha-256",
                                c->files.as_root ? NULL : pwfile,
                                NULL};
    int r = cluster_make_fresh(&c->files);
    return r < 0 ? r : run(c, CLUSTER_INITDB, "initdb", args);
}

/* "postgres (PostgreSQL) 15.20 (Debian …)" */
static int check_version(struct db_cluster *c, const char *output)
{
    const char *number = strchr(output, ')');
    long version = number ? strtol(number + 1, NULL, 10) : 0;
    int data = cluster_data_version(&c->files);
    if (version < CLUSTER_VERSION_MIN) {
        log_error("PostgreSQL 15 or newer is needed", "directory", c->files.bin, "found", output);
        return ERR_NOT_FOUND;
    }
    if (data == 0) {
        const char *const args[] = {"-rf", "--", c->files.fresh, NULL};
        return run(c, CLUSTER_CLEAN, "/bin/rm", args);
    }
    if (data != version) {
        log_error("the data directory is another PostgreSQL version's: install that version, or "
                  "dump and restore",
                  "data", c->files.data, "its", LOG_NUM(data), "found", LOG_NUM(version));
        return ERR_SYS;
    }
    return start(c);
}

static int begin(struct db_cluster *c)
{
    static const char *const args[] = {"--version", NULL};
    int r = cluster_find_programs(&c->files, c->bin_dir);
    return r < 0 ? r : run(c, CLUSTER_VERSION, "postgres", args);
}

/* After a program ended well. */
static int next_step(struct db_cluster *c, const char *output)
{
    int r;
    switch (c->state) {
    case CLUSTER_VERSION:
        return check_version(c, output);
    case CLUSTER_CLEAN:
        return initdb(c);
    case CLUSTER_INITDB:
        r = cluster_finish_fresh(&c->files);
        return r < 0 ? r : start(c);
    case CLUSTER_START:
        up(c);
        return 0;
    default:
        return ERR_INTERNAL;
    }
}

/* A start that failed is tried again while the first caller still waits. */
static bool retries_start(struct db_cluster *c, bool fine)
{
    if (fine || c->state != CLUSTER_START || !c->fn || clock_mono_ms() > c->start_until_ms)
        return false;
    log_warn("the private PostgreSQL did not start: trying again", "data", c->files.data);
    set_state(c, CLUSTER_DOWN);
    loop_timer_start(c->timer, START_RETRY_MS, 0);
    return true;
}

static void on_ended(void *user, int64_t exit_status, int term_signal, const char *output)
{
    struct db_cluster *c = user;
    bool fine = exit_status == 0 && term_signal == 0;
    int r = ERR_SYS;
    if (!fine)
        log_error("a program of the private PostgreSQL failed", "exit_code", LOG_NUM(exit_status),
                  "signal", LOG_NUM(term_signal), "output", output);
    loop_process_free(TAKE_PTR(c->process));
    if (c->state == CLUSTER_STOPPING)
        stopped(c, fine ? 0 : ERR_SYS);
    else if (c->stop_wanted)
        stop_now(c);
    else if (retries_start(c, fine))
        return;
    else if (!fine || (r = next_step(c, output)) < 0)
        failed(c, r);
}

static void watch(struct db_cluster *c)
{
    bool ready;
    if (c->state == CLUSTER_UP && cluster_postmaster(&c->files, &ready) > 0)
        return;
    if (c->state == CLUSTER_UP)
        log_warn("the private PostgreSQL has gone: starting it again");
    set_state(c, CLUSTER_DOWN);
    loop_timer_stop(c->timer);
    int r = start(c);
    if (r < 0)
        failed(c, r);
}

static void on_timer(void *user)
{
    struct db_cluster *c = user;
    int r;
    switch (c->state) {
    case CLUSTER_NEW:
        if (c->stop_wanted)
            stop_now(c);
        else if ((r = begin(c)) < 0)
            failed(c, r);
        return;
    case CLUSTER_ADOPT:
        poll_adopted(c);
        return;
    case CLUSTER_UP:
    case CLUSTER_DOWN:
        watch(c);
        return;
    default:
        return;
    }
}

int db_cluster_start(struct loop *l, const char *state_dir, const char *bin_dir, db_cluster_fn fn,
                     void *user, struct db_cluster **ret)
{
    struct db_cluster *c = calloc(1, sizeof(*c));
    if (!c)
        return ERR_NOMEM;
    c->loop = l;
    c->fn = fn;
    c->user = user;
    buf_init(&c->conninfo, CONNINFO_BYTES_MAX);
    int r = cluster_files_init(&c->files, state_dir);
    if (r == 0)
        r = str_set(&c->bin_dir, bin_dir);
    if (r == 0)
        r = loop_timer_new(l, on_timer, c, &c->timer);
    if (r < 0) {
        db_cluster_free(c);
        return r;
    }
    loop_timer_start(c->timer, 0, 0);
    *ret = c;
    return 0;
}

const char *db_cluster_conninfo(const struct db_cluster *c)
{
    return c->conninfo.data ? c->conninfo.data : "";
}

void db_cluster_stop(struct db_cluster *c, db_cluster_fn fn, void *user)
{
    c->stop_fn = fn;
    c->stop_user = user;
    c->stop_wanted = true;
    c->fn = NULL;
    if (c->process || c->state == CLUSTER_NEW)
        return; /* on_ended or on_timer goes on from there */
    set_state(c, CLUSTER_NEW);
    loop_timer_start(c->timer, 0, 0);
}

void db_cluster_free(struct db_cluster *c)
{
    if (!c)
        return;
    loop_process_free(c->process);
    loop_timer_free(c->timer);
    buf_done(&c->conninfo);
    free(c->bin_dir);
    free(c);
}
