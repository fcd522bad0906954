/* The files of the private cluster. */
#include "db/cluster_files.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX 8192
#define PASSWORD_BYTES 24
/* sun_path holds 107 bytes and a NUL; "/.s.PGSQL.5432" is PostgreSQL's. */
#define SOCKET_DIR_MAX (107 - 14)
/* A directory's path with these needs no quoting in postgresql.conf, nor in its list of them. */
#define PLAIN_PATH "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@~"

static int fail(const char *what, const char *path)
{
    log_error("private cluster: system call failed", "what", what, "path", path, "error",
              strerror(errno));
    return ERR_SYS;
}

static int join(char ret[PATH_MAX], const char *dir, const char *name)
{
    int n = snprintf(ret, PATH_MAX, "%s/%s", dir, name);
    return n > 0 && n < PATH_MAX ? 0 : ERR_INVALID;
}

/* Reads a small file whole. ERR_NOT_FOUND, ERR_SYS. */
static int read_file(const char *path, struct buf *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYS;
    char chunk[FILE_BYTES_MAX];
    ssize_t n = read(fd, chunk, sizeof(chunk));
    close(fd);
    return n < 0 ? ERR_SYS : buf_append(ret, chunk, (size_t)n);
}

/* flags: O_CREAT | O_EXCL, O_TRUNC or O_APPEND. The file belongs to PostgreSQL's user. */
static int write_file(const struct cluster_files *f, const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return fail("open", path);
    size_t len = strlen(text);
    bool fine = (!f->as_root || fchown(fd, f->uid, f->gid) == 0) &&
                write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
    int r = fine ? 0 : fail("write", path);
    close(fd);
    return r;
}

/* As the kernel's check of execute permission, for a user without other groups. */
static bool may_traverse(const struct stat *st, uid_t uid, gid_t gid)
{
    if (st->st_uid == uid)
        return st->st_mode & S_IXUSR;
    return st->st_gid == gid ? st->st_mode & S_IXGRP : st->st_mode & S_IXOTH;
}

/* Every directory above state_dir lets user postgres through. */
static int check_reachable(const struct cluster_files *f)
{
    char path[PATH_MAX];
    struct stat st;
    for (size_t i = 1; f->state_dir[i]; i++) {
        if (f->state_dir[i] != '/')
            continue;
        memcpy(path, f->state_dir, i);
        path[i] = '\0';
        if (stat(path, &st) < 0)
            return fail("stat", path);
        if (!may_traverse(&st, f->uid, f->gid)) {
            log_error("user postgres, as which PostgreSQL runs, cannot reach the state directory: "
                      "give this directory the x bit for others, or use another --state-dir",
                      "directory", path);
            return ERR_SYS;
        }
    }
    /* x alone: to pg inside, but not to see what else is there. */
    return chmod(f->state_dir, 0711) < 0 ? fail("chmod", f->state_dir) : 0;
}

int cluster_files_init(struct cluster_files *f, const char *state_dir)
{
    memset(f, 0, sizeof(*f));
    f->as_root = geteuid() == 0;
    f->uid = geteuid();
    f->gid = getegid();
    if (str_copy(f->state_dir, sizeof(f->state_dir), state_dir) < 0 ||
        join(f->data, state_dir, "pg") < 0 || join(f->fresh, state_dir, "pg.new") < 0 ||
        join(f->password_file, state_dir, "pg.password") < 0)
        return ERR_INVALID;
    if (!f->as_root)
        return 0;
    const struct passwd *pw = getpwnam("postgres");
    if (!pw) {
        log_error("no user postgres: PostgreSQL does not run as root");
        return ERR_NOT_FOUND;
    }
    f->uid = pw->pw_uid;
    f->gid = pw->pw_gid;
    return check_reachable(f);
}

static bool has_programs(const char *dir)
{
    static const char *const names[] = {"initdb", "pg_ctl", "postgres"};
    char path[PATH_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (join(path, dir, names[i]) < 0 || access(path, X_OK) != 0)
            return false;
    return true;
}

/* Debian's layout: /usr/lib/postgresql/15/bin. */
static void find_debian(struct cluster_files *f)
{
    int data = cluster_data_version(f);
    int64_t best = 0;
    glob_t g = {0};
    if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &g) == 0) {
        for (size_t i = 0; i < g.gl_pathc; i++) {
            char number[16] = "";
            int64_t version;
            if (sscanf(g.gl_pathv[i], "/usr/lib/postgresql/%15[0-9]/bin", number) != 1 ||
                str_to_i64(number, 1, 1000, &version) < 0 || !has_programs(g.gl_pathv[i]))
                continue;
            if ((version > best && (best == 0 || best != data)) || version == data) {
                best = version;
                if (str_copy(f->bin, sizeof(f->bin), g.gl_pathv[i]) < 0)
                    f->bin[0] = '\0';
            }
        }
    }
    globfree(&g);
}

static void find_in_path(struct cluster_files *f)
{
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t len = strcspn(path, ":");
        if (len > 0 && len < sizeof(f->bin)) {
            memcpy(f->bin, path, len);
            f->bin[len] = '\0';
            if (has_programs(f->bin))
                return;
        }
        path += len + (path[len] == ':');
    }
    f->bin[0] = '\0';
}

int cluster_find_programs(struct cluster_files *f, const char *bin_dir)
{
    f->bin[0] = '\0';
    if (bin_dir) {
        if (!has_programs(bin_dir) || str_copy(f->bin, sizeof(f->bin), bin_dir) < 0)
            f->bin[0] = '\0';
    } else {
        find_debian(f);
        if (!*f->bin)
            find_in_path(f);
    }
    if (*f->bin)
        return 0;
    log_error("no PostgreSQL programs (initdb, pg_ctl, postgres) found", "directory", bin_dir);
    return ERR_NOT_FOUND;
}

int cluster_data_version(const struct cluster_files *f)
{
    char path[PATH_MAX];
    CLEANUP_BUF struct buf b;
    buf_init(&b, FILE_BYTES_MAX);
    int64_t version;
    if (join(path, f->data, "PG_VERSION") < 0 || read_file(path, &b) < 0 || b.len == 0)
        return 0;
    b.data[strcspn(b.data, "\n")] = '\0';
    return str_to_i64(b.data, 1, 1000, &version) < 0 ? 0 : (int)version;
}

static int make_dir(const struct cluster_files *f, const char *path)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fail("mkdir", path);
    if ((f->as_root && lchown(path, f->uid, f->gid) < 0) || chmod(path, 0700) < 0)
        return fail("chown", path);
    return 0;
}

int cluster_make_fresh(const struct cluster_files *f)
{
    unsigned char random[PASSWORD_BYTES];
    char password[2 * PASSWORD_BYTES + 1];
    int r = make_dir(f, f->fresh);
    if (r < 0 || f->as_root)
        return r;
    if (getrandom(random, sizeof(random), 0) != sizeof(random))
        return fail("getrandom", "");
    str_hex(random, sizeof(random), password);
    if (unlink(f->password_file) < 0 && errno != ENOENT)
        return fail("unlink", f->password_file);
    return write_file(f, f->password_file, O_CREAT | O_EXCL, password);
}

int cluster_finish_fresh(const struct cluster_files *f)
{
    static const char root_hba[] = "local all postgres peer map=tailgate\n";
    static const char user_hba[] = "local all postgres scram-sha-256\n";
    static const char ident[] = "tailgate root postgres\ntailgate postgres postgres\n";
    static const char include[] = "\ninclude = 'tailgate.conf'\n";
    char path[PATH_MAX];
    int r = join(path, f->fresh, "pg_hba.conf");
    if (r == 0)
        r = write_file(f, path, O_TRUNC, f->as_root ? root_hba : user_hba);
    if (r == 0 && f->as_root && (r = join(path, f->fresh, "pg_ident.conf")) == 0)
        r = write_file(f, path, O_TRUNC, ident);
    if (r == 0 && (r = join(path, f->fresh, "postgresql.conf")) == 0)
        r = write_file(f, path, O_APPEND, include);
    if (r == 0 && rename(f->fresh, f->data) < 0)
        r = fail("rename", f->fresh);
    return r;
}

/* Ours alone: nobody can have put another directory or a link in its place. */
static bool is_private_dir(const struct cluster_files *f, const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == f->uid &&
           (st.st_mode & 077) == 0;
}

/* A short directory with a random name, remembered in STATE_DIR/pg.socket. */
static int short_socket_dir(struct cluster_files *f)
{
    char note[PATH_MAX];
    CLEANUP_BUF struct buf b;
    buf_init(&b, FILE_BYTES_MAX);
    int r = join(note, f->state_dir, "pg.socket");
    if (r < 0)
        return r;
    if (read_file(note, &b) == 0 && b.len > 0 && b.len <= SOCKET_DIR_MAX &&
        is_private_dir(f, b.data))
        return str_copy(f->socket_dir, sizeof(f->socket_dir), b.data);
    const char *runtime = f->as_root ? NULL : getenv("XDG_RUNTIME_DIR");
    if (!runtime || strlen(runtime) > SOCKET_DIR_MAX - 20 ||
        strspn(runtime, PLAIN_PATH) != strlen(runtime) || access(runtime, W_OK | X_OK) != 0)
        runtime = "/tmp";
    if ((r = join(f->socket_dir, runtime, "tailgate-XXXXXX")) < 0)
        return r;
    if (!mkdtemp(f->socket_dir))
        return fail("mkdtemp", f->socket_dir);
    r = make_dir(f, f->socket_dir);
    return r < 0 ? r : write_file(f, note, O_CREAT | O_TRUNC, f->socket_dir);
}

static int choose_socket_dir(struct cluster_files *f)
{
    int r = join(f->socket_dir, f->data, "run");
    if (r < 0)
        return r;
    size_t len = strlen(f->socket_dir);
    if (len > SOCKET_DIR_MAX || strspn(f->socket_dir, PLAIN_PATH) != len)
        return short_socket_dir(f);
    return make_dir(f, f->socket_dir);
}

int cluster_prepare_start(struct cluster_files *f)
{
    char path[PATH_MAX];
    CLEANUP_BUF struct buf b;
    buf_init(&b, FILE_BYTES_MAX);
    int r = choose_socket_dir(f);
    if (r == 0)
        r = join(path, f->data, "tailgate.conf");
    if (r == 0)
        r = buf_printf(&b,
                       "# Written by tailgated at each start.\n"
                       "listen_addresses = ''\n"
                       "port = %d\n"
                       "unix_socket_directories = '%s'\n"
                       "max_connections = 50\n"
                       "shared_buffers = 128MB\n"
                       "min_wal_size = 32MB\n"
                       "max_wal_size = 512MB\n"
                       "jit = off\n" /* short statements only */
                       "log_timezone = 'UTC'\n"
                       /* One file a weekday, overwritten after a week: bounded. */
                       "logging_collector = on\n"
                       "log_directory = 'log'\n"
                       "log_filename = 'postgresql-%%a.log'\n"
                       "log_truncate_on_rotation = on\n"
                       "log_rotation_age = 1d\n"
                       "log_rotation_size = 0\n",
                       CLUSTER_PORT, f->socket_dir);
    return r < 0 ? r : write_file(f, path, O_CREAT | O_TRUNC, b.data);
}

/* A postmaster stands in its data directory; a process that only got its old number does not. */
static bool runs_on(pid_t pid, const char *data)
{
    char link[64], real[PATH_MAX], cwd[PATH_MAX];
    (void)snprintf(link, sizeof(link), "/proc/%d/cwd", (int)pid);
    ssize_t n = readlink(link, cwd, sizeof(cwd) - 1);
    if (n <= 0 || !realpath(data, real))
        return false;
    cwd[n] = '\0';
    return str_eq(cwd, real);
}

pid_t cluster_postmaster(struct cluster_files *f, bool *ret_ready)
{
    char path[PATH_MAX];
    CLEANUP_BUF struct buf b;
    buf_init(&b, FILE_BYTES_MAX);
    *ret_ready = false;
    if (join(path, f->data, "postmaster.pid") < 0 || read_file(path, &b) < 0 || b.len == 0)
        return 0;
    /* PostgreSQL's pidfile.h: line 1 process id, 5 socket directory, 8 status. */
    char *lines[8] = {NULL}, *rest = b.data;
    for (size_t i = 0; i < ARRAY_SIZE(lines) && rest; i++)
        lines[i] = strsep(&rest, "\n");
    int64_t pid;
    if (str_to_i64(lines[0], 1, INT32_MAX, &pid) < 0)
        return 0; /* being written */
    if (!runs_on((pid_t)pid, f->data)) {
        if (unlink(path) < 0 && errno != ENOENT)
            log_warn("cannot remove a stale file", "path", path, "error", strerror(errno));
        return 0;
    }
    if (lines[4] && *lines[4] && str_copy(f->socket_dir, sizeof(f->socket_dir), lines[4]) == 0)
        *ret_ready = lines[7] && str_starts_with(lines[7], "ready");
    return (pid_t)pid;
}

int cluster_conninfo(const struct cluster_files *f, struct buf *ret)
{
    CLEANUP_BUF struct buf password;
    buf_init(&password, FILE_BYTES_MAX);
    buf_clear(ret);
    /* Socket directories are plain paths, the password is hexadecimal: nothing to quote. */
    int r = buf_printf(ret, "host=%s port=%d user=postgres dbname=postgres", f->socket_dir,
                       CLUSTER_PORT);
    if (r < 0 || f->as_root)
        return r;
    if (read_file(f->password_file, &password) < 0 || password.len == 0)
        return fail("read", f->password_file);
    return buf_printf(ret, " password=%s", password.data);
}
