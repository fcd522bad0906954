/* The state directory, its lock and the gateway's id. Only used at the start. */
#include "gateway/state_dir.h"

#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 4096

static int fail(struct buf *error, int err, const char *path, const char *what)
{
    buf_clear(error);
    (void)!buf_printf(error, "state directory %s: %s: %s", path, what, strerror(errno));
    return err;
}

int state_dir_default(char **ret)
{
    struct buf path CLEANUP_BUF = {.max = PATH_SIZE};
    const char *state_home = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    size_t len;
    int err;
    if (geteuid() == 0)
        err = buf_append_str(&path, "/var/lib/tailgate");
    else if (!str_is_empty(state_home))
        err = buf_printf(&path, "%s/tailgate", state_home);
    else if (!str_is_empty(home))
        err = buf_printf(&path, "%s/.local/state/tailgate", home);
    else
        return ERR_NOT_FOUND;
    return err ? err : buf_take(&path, ret, &len);
}

int state_dir_make_absolute(char **path)
{
    char cwd[PATH_SIZE];
    struct buf whole CLEANUP_BUF = {.max = 2 * PATH_SIZE};
    if ((*path)[0] == '/')
        return 0;
    if (!getcwd(cwd, sizeof(cwd)))
        return ERR_SYS;
    int err = buf_printf(&whole, "%s/%s", str_eq(cwd, "/") ? "" : cwd, *path);
    return err ? err : str_set(path, whole.data);
}

/* mkdir -p: the parents open to all, the last with mode. */
static int make_dirs(const char *path, mode_t mode)
{
    char part[PATH_SIZE];
    if (str_copy(part, sizeof(part), path)) {
        errno = ENAMETOOLONG;
        return ERR_SYS;
    }
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0755) != 0 && errno != EEXIST)
            return ERR_SYS;
        *slash = '/';
    }
    return mkdir(path, mode) == 0 || errno == EEXIST ? 0 : ERR_SYS;
}

/* As root the commands' user and PostgreSQL's pass through the directory, without reading it. */
static int let_others_pass(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return ERR_SYS;
    if (geteuid() != 0 || (st.st_mode & 0011) == 0011)
        return 0;
    return chmod(path, (st.st_mode & 07777) | 0011) == 0 ? 0 : ERR_SYS;
}

/* A POSIX lock: unlike flock's it does not pass to a child between fork and exec, which would hold
 * it for a moment beyond a killed server's death. Closing any descriptor of the file releases it,
 * so the server opens it once. */
static int lock_file(int fd)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_SETLK, &lock);
}

static int in_use(struct buf *error, const char *path, int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
    buf_clear(error);
    (void)!buf_printf(error, "state directory %s is in use by process %s", path,
                      *text ? text : "(unknown)");
    return ERR_CONFLICT;
}

static int write_pid(int fd)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (n < 0 || ftruncate(fd, 0) != 0)
        return ERR_SYS;
    return pwrite(fd, text, (size_t)n, 0) == n ? 0 : ERR_SYS;
}

int state_dir_take(const char *path, struct buf *error, int *ret_lock_fd)
{
    char name[PATH_SIZE];
    if (make_dirs(path, geteuid() == 0 ? 0711 : 0700) || let_others_pass(path))
        return fail(error, ERR_SYS, path, "cannot be made");
    int n = snprintf(name, sizeof(name), "%s/lock", path);
    if (n < 0 || (size_t)n >= sizeof(name))
        return fail(error, ERR_SYS, path, "too long");
    int fd = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return fail(error, ERR_SYS, path, "lock");
    int err = 0;
    if (lock_file(fd) != 0)
        err = errno == EAGAIN || errno == EACCES ? in_use(error, path, fd)
                                                 : fail(error, ERR_SYS, path, "lock");
    else if (write_pid(fd))
        err = fail(error, ERR_SYS, path, "lock");
    if (err) {
        (void)close(fd);
        return err;
    }
    *ret_lock_fd = fd;
    return 0;
}

static int read_id(const char *name, char ret[GATEWAY_ID_SIZE])
{
    char text[GATEWAY_ID_SIZE + 1] = "";
    uint8_t bytes[16];
    int fd = open(name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYS;
    ssize_t n = read(fd, text, GATEWAY_ID_SIZE);
    (void)close(fd);
    text[strcspn(text, "\n")] = '\0';
    if (n < 0 || str_unhex(text, sizeof(bytes), bytes)) {
        errno = EINVAL;
        return ERR_SYS;
    }
    return str_copy(ret, GATEWAY_ID_SIZE, text);
}

/* Under a name of its own, then renamed: a crash leaves a whole id or none. The lock is held. */
static int write_id(const char *name, const char *text, size_t len)
{
    char new_name[PATH_SIZE];
    int n = snprintf(new_name, sizeof(new_name), "%s.new", name);
    if (n < 0 || (size_t)n >= sizeof(new_name))
        return ERR_SYS;
    (void)unlink(new_name); /* a crash may have left it */
    int fd = open(new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return ERR_SYS;
    int err = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0 ? 0 : ERR_SYS;
    (void)close(fd);
    if (!err && rename(new_name, name) != 0)
        err = ERR_SYS;
    if (err)
        (void)unlink(new_name);
    return err;
}

static int make_id(const char *name, char ret[GATEWAY_ID_SIZE])
{
    uint8_t random[16];
    char text[GATEWAY_ID_SIZE];
    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return ERR_SYS;
    str_hex(random, sizeof(random), text);
    int err = write_id(name, text, sizeof(text) - 1);
    return err ? err : str_copy(ret, GATEWAY_ID_SIZE, text);
}

int state_dir_gateway_id(const char *path, struct buf *error, char ret[GATEWAY_ID_SIZE])
{
    char name[PATH_SIZE];
    int n = snprintf(name, sizeof(name), "%s/gateway.id", path);
    if (n < 0 || (size_t)n >= sizeof(name))
        return fail(error, ERR_SYS, path, "too long");
    int err = read_id(name, ret);
    if (err == ERR_NOT_FOUND)
        err = make_id(name, ret);
    return err ? fail(error, ERR_SYS, path, "gateway.id") : 0;
}
