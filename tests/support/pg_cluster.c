/*
 * Starts and stops the throw-away PostgreSQL of a test binary. The postmaster is our child with a
 * parent-death signal, so that a killed test leaves no server behind.
 */
#include "tests/support/pg_cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DATABASES_MAX 64
#define START_TRIES 1500 /* of 20 ms: 30 s */

struct pg_cluster {
    bool ours;
    char dir[64]; /* /tmp/tailgate-pg-XXXXXX; data in it, socket beside it */
    char data[96];
    char url[PATH_MAX]; /* the outside server */
    char bin[PATH_MAX];
    char conninfo[PATH_MAX + 128];
    pid_t postmaster;
    char databases[DATABASES_MAX][48]; /* made on the outside server */
    size_t count;
};

static int find_bin(char *ret, size_t size)
{
    static const char *const patterns[] = {"/usr/lib/postgresql/*/bin/postgres",
                                           "/usr/pgsql-*/bin/postgres", "/usr/local/bin/postgres",
                                           "/usr/bin/postgres"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        glob_t g;
        if (glob(patterns[i], 0, NULL, &g) == 0) {
            const char *newest = g.gl_pathv[g.gl_pathc - 1];
            snprintf(ret, size, "%.*s", (int)(strlen(newest) - strlen("/postgres")), newest);
            globfree(&g);
            return 0;
        }
    }
    fprintf(stderr, "pg_cluster: no PostgreSQL server programs found\n");
    return -1;
}

/* In the child: the user PostgreSQL runs as. */
static void become_postgres(void)
{
    if (geteuid() != 0)
        return;
    const struct passwd *pw = getpwnam("postgres");
    if (!pw || initgroups("postgres", pw->pw_gid) != 0 || setgid(pw->pw_gid) != 0 ||
        setuid(pw->pw_uid) != 0)
        _exit(126);
}

/* out: read end for stdout, NULL = stdout goes to `log` (or nowhere). */
static pid_t spawn(const char *const *argv, bool as_postgres, const char *log, int *out)
{
    int pipefd[2] = {-1, -1};
    if (out && pipe2(pipefd, O_CLOEXEC) != 0)
        return -1;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDONLY);
        int sink =
            out ? pipefd[1] : open(log ? log : "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (null < 0 || sink < 0 || dup2(null, 0) < 0 || dup2(sink, 1) < 0 ||
            (log && dup2(sink, 2) < 0))
            _exit(126);
        setenv("LC_ALL", "C", 1);
        unsetenv("PGOPTIONS");
        if (as_postgres)
            become_postgres();
        if (as_postgres && chdir("/") != 0)
            _exit(126);
        if (prctl(PR_SET_PDEATHSIG, SIGQUIT) != 0 || getppid() != parent)
            _exit(126);
        execv(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (out) {
        close(pipefd[1]);
        *out = pipefd[0];
    }
    return pid;
}

static int await(pid_t pid)
{
    int status;
    if (pid < 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static void dump_log(const struct pg_cluster *c)
{
    char path[128], line[512];
    snprintf(path, sizeof(path), "%s/log", c->dir);
    FILE *f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        fprintf(stderr, "pg_cluster: %s", line);
    if (f)
        fclose(f);
}

/* The postmaster writes "ready" as the last line of its pid file (PostgreSQL's pidfile.h). */
static bool is_ready(const struct pg_cluster *c)
{
    char path[128], line[256] = "";
    snprintf(path, sizeof(path), "%s/postmaster.pid", c->data);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    int lines = 0;
    while (fgets(line, sizeof(line), f))
        lines++;
    fclose(f);
    return lines >= 8 && strncmp(line, "ready", 5) == 0;
}

static int start_postmaster(struct pg_cluster *c)
{
    char exe[PATH_MAX + 16], log[96], socket_dir[128];
    snprintf(exe, sizeof(exe), "%s/postgres", c->bin);
    snprintf(log, sizeof(log), "%s/log", c->dir);
    snprintf(socket_dir, sizeof(socket_dir), "unix_socket_directories=%s", c->dir);
    const char *argv[] = {exe,     "-D",
                          c->data, "-F",
                          "-c",    "listen_addresses=",
                          "-c",    socket_dir,
                          "-c",    "max_connections=60",
                          "-c",    "shared_buffers=16MB",
                          "-c",    "full_page_writes=off",
                          "-c",    "autovacuum=off",
                          "-c",    "log_min_messages=warning",
                          NULL};
    c->postmaster = spawn(argv, true, log, NULL);
    for (int i = 0; i < START_TRIES && c->postmaster > 0; i++) {
        if (is_ready(c))
            return 0;
        if (waitpid(c->postmaster, NULL, WNOHANG) == c->postmaster)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    dump_log(c);
    return -1;
}

static void stop_postmaster(struct pg_cluster *c)
{
    if (c->postmaster <= 0)
        return;
    kill(c->postmaster, SIGQUIT);
    (void)await(c->postmaster);
    c->postmaster = 0;
}

static int start_own(struct pg_cluster *c)
{
    char exe[PATH_MAX + 16], log[96];
    snprintf(c->dir, sizeof(c->dir), "/tmp/tailgate-pg-XXXXXX");
    if (!mkdtemp(c->dir))
        return -1;
    const struct passwd *pw = geteuid() == 0 ? getpwnam("postgres") : NULL;
    if (pw && chown(c->dir, pw->pw_uid, pw->pw_gid) != 0)
        return -1;
    snprintf(c->data, sizeof(c->data), "%s/data", c->dir);
    snprintf(exe, sizeof(exe), "%s/initdb", c->bin);
    snprintf(log, sizeof(log), "%s/log", c->dir);
    const char *argv[] = {exe,
                          "-D",
                          c->data,
                          "-U",
                          "postgres",
                          "-A",
                          "trust",
                          "--no-sync",
                          "--encoding=UTF8",
                          "--locale=C",
                          "--wal-segsize=1",
                          "--no-instructions",
                          NULL};
    if (await(spawn(argv, true, log, NULL)) != 0) {
        dump_log(c);
        return -1;
    }
    return start_postmaster(c);
}

static void admin_conninfo(const struct pg_cluster *c, char *ret, size_t size)
{
    if (c->ours)
        snprintf(ret, size, "host=%s user=postgres dbname=postgres", c->dir);
    else
        snprintf(ret, size, "%s", c->url);
}

/* conninfo of another database on the same server. */
static void database_conninfo(const struct pg_cluster *c, const char *name, char *ret, size_t size)
{
    if (c->ours) {
        snprintf(ret, size, "host=%s user=postgres dbname=%s", c->dir, name);
        return;
    }
    const char *scheme = strstr(c->url, "://");
    if (!scheme) { /* keyword form: the last dbname counts */
        snprintf(ret, size, "%s dbname=%s", c->url, name);
        return;
    }
    const char *path = strchr(scheme + 3, '/');
    const char *query = strchr(c->url, '?');
    int head = (int)(path ? path - c->url : query ? query - c->url : (long)strlen(c->url));
    snprintf(ret, size, "%.*s/%s%s", head, c->url, name, query ? query : "");
}

int pg_cluster_query(const char *conninfo, const char *sql, char *ret, size_t size)
{
    char bin[PATH_MAX], exe[PATH_MAX + 16];
    int out = -1;
    if (find_bin(bin, sizeof(bin)) != 0)
        return -1;
    snprintf(exe, sizeof(exe), "%s/psql", bin);
    const char *argv[] = {exe, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, conninfo, NULL};
    pid_t pid = spawn(argv, false, NULL, &out);
    if (pid < 0)
        return -1;
    size_t len = 0;
    char scratch[4096];
    for (;;) {
        ssize_t n = read(out, scratch, sizeof(scratch));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        size_t room = size > len + 1 ? size - len - 1 : 0;
        size_t take = (size_t)n < room ? (size_t)n : room;
        if (take > 0)
            memcpy(ret + len, scratch, take);
        len += take;
    }
    close(out);
    while (len > 0 && ret[len - 1] == '\n')
        len--;
    if (size > 0)
        ret[len] = '\0';
    return await(pid);
}

int pg_cluster_exec(const char *conninfo, const char *sql)
{
    return pg_cluster_query(conninfo, sql, NULL, 0);
}

int pg_cluster_create_database(struct pg_cluster *c, char *ret_conninfo, size_t size)
{
    uint64_t random;
    char admin[PATH_MAX + 128], sql[128];
    if (c->count == DATABASES_MAX || getrandom(&random, sizeof(random), 0) != sizeof(random))
        return -1;
    char *name = c->databases[c->count];
    snprintf(name, sizeof(c->databases[0]), "tailgate_test_%016llx", (unsigned long long)random);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s TEMPLATE template0 ENCODING 'UTF8'", name);
    admin_conninfo(c, admin, sizeof(admin));
    if (pg_cluster_exec(admin, sql) != 0)
        return -1;
    c->count++;
    database_conninfo(c, name, ret_conninfo, size);
    return 0;
}

int pg_cluster_start(struct pg_cluster **ret)
{
    const char *url = getenv("TAILGATE_TEST_DATABASE_URL");
    struct pg_cluster *c = calloc(1, sizeof(*c));
    if (!c)
        return -1;
    c->ours = !url || !*url;
    if (!c->ours)
        snprintf(c->url, sizeof(c->url), "%s", url);
    if ((c->ours && (find_bin(c->bin, sizeof(c->bin)) != 0 || start_own(c) != 0)) ||
        pg_cluster_create_database(c, c->conninfo, sizeof(c->conninfo)) != 0) {
        fprintf(stderr, "pg_cluster: cannot start\n");
        pg_cluster_stop(c);
        return -1;
    }
    *ret = c;
    return 0;
}

void pg_cluster_stop(struct pg_cluster *c)
{
    if (!c)
        return;
    if (c->ours) {
        stop_postmaster(c);
        const char *argv[] = {"/bin/rm", "-rf", c->dir, NULL};
        if (strncmp(c->dir, "/tmp/tailgate-pg-", 17) == 0 && await(spawn(argv, false, NULL, NULL)))
            fprintf(stderr, "pg_cluster: %s is left behind\n", c->dir);
    }
    for (size_t i = 0; !c->ours && i < c->count; i++) {
        char sql[128];
        snprintf(sql, sizeof(sql), "DROP DATABASE IF EXISTS %s WITH (FORCE)", c->databases[i]);
        if (pg_cluster_exec(c->url, sql) != 0)
            fprintf(stderr, "pg_cluster: database %s is left behind\n", c->databases[i]);
    }
    free(c);
}

const char *pg_cluster_conninfo(const struct pg_cluster *c)
{
    return c->conninfo;
}

bool pg_cluster_is_ours(const struct pg_cluster *c)
{
    return c->ours;
}

int pg_cluster_crash(struct pg_cluster *c)
{
    if (!c->ours || c->postmaster <= 0)
        return -1;
    stop_postmaster(c);
    return 0;
}

int pg_cluster_resume(struct pg_cluster *c)
{
    return c->ours && c->postmaster == 0 ? start_postmaster(c) : -1;
}

int pg_cluster_setup(void **state)
{
    struct pg_cluster *c = NULL;
    if (pg_cluster_start(&c) != 0)
        return -1;
    *state = c;
    return 0;
}

int pg_cluster_teardown(void **state)
{
    pg_cluster_stop(*state);
    return 0;
}
