/*
 * The key file. It is never written in place: a new one is made beside it, synced and renamed (or
 * linked, where none may be there yet), so that a reader and a crash find the old or the new one.
 */
#include "orchestrator/seal_file.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD "tailgate-secrets-key"
/* "WORD ID KEY\n" */
#define LINE_BYTES (sizeof WORD + SEAL_KEY_ID_LEN + 1 + 2 * SEAL_KEY_BYTES + 1)
/* Keys, and as much of comments. */
#define FILE_MAX 8192u

static_assert(FILE_MAX >= 2 * SEAL_KEYS_MAX * LINE_BYTES, "file size");

static int refuse(struct buf *error, const char *path, const char *rule)
{
    int r = buf_printf(error, "--secrets-key-file: %s %s", path, rule);
    return r < 0 ? r : ERR_INVALID;
}

void seal_key_make(struct seal_key *ret)
{
    uint8_t id[SEAL_KEY_ID_LEN / 2];
    randombytes_buf(id, sizeof id);
    str_hex(id, sizeof id, ret->id);
    randombytes_buf(ret->bytes, sizeof ret->bytes);
}

/* ---- reading ---- */

/* line: NUL-terminated, without its end. */
static int parse_line(const char *line, struct seal_keys *keys)
{
    uint8_t id[SEAL_KEY_ID_LEN / 2];
    char id_text[SEAL_KEY_ID_SIZE];
    if (line[0] == '\0' || line[0] == '#')
        return 0;
    if (strlen(line) != LINE_BYTES - 1 || !str_starts_with(line, WORD " ") ||
        line[sizeof WORD + SEAL_KEY_ID_LEN] != ' ' || keys->count == SEAL_KEYS_MAX)
        return ERR_INVALID;
    struct seal_key *key = &keys->key[keys->count];
    memcpy(id_text, line + sizeof WORD, SEAL_KEY_ID_LEN);
    id_text[SEAL_KEY_ID_LEN] = '\0';
    if (str_unhex(id_text, sizeof id, id) < 0 ||
        str_unhex(line + sizeof WORD + SEAL_KEY_ID_LEN + 1, SEAL_KEY_BYTES, key->bytes) < 0)
        return ERR_INVALID;
    str_hex(id, sizeof id, key->id); /* in lower case */
    for (size_t i = 0; i < keys->count; i++) {
        if (str_eq(keys->key[i].id, key->id))
            return ERR_INVALID;
    }
    keys->count++;
    return 0;
}

static int parse(char *text, struct seal_keys *keys)
{
    int r = 0;
    for (char *line = text; r == 0 && line;) {
        char *eol = strchr(line, '\n');
        if (eol)
            *eol = '\0';
        r = parse_line(line, keys);
        line = eol ? eol + 1 : NULL;
    }
    return r == 0 && keys->count > 0 ? 0 : ERR_INVALID;
}

static int check(int fd, const char *path, struct seal_keys *keys, struct buf *error)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return refuse(error, path, "cannot be read");
    if (!S_ISREG(st.st_mode))
        return refuse(error, path, "must be a file");
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return refuse(error, path, "must belong to the user that the server runs as, or to root");
    if (st.st_mode & (S_IRWXG | S_IRWXO))
        return refuse(error, path, "must not be accessible by group or others (chmod 600)");
    keys->dev = st.st_dev;
    keys->ino = st.st_ino;
    keys->size = st.st_size;
    keys->mtime = st.st_mtim;
    return 0;
}

static int read_text(int fd, char text[FILE_MAX + 1])
{
    size_t len = 0;
    for (;;) {
        ssize_t n = read(fd, text + len, FILE_MAX + 1 - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || len + (size_t)n > FILE_MAX)
            return ERR_INVALID;
        if (n == 0)
            break;
        len += (size_t)n;
    }
    text[len] = '\0';
    return strlen(text) == len ? 0 : ERR_INVALID;
}

int seal_file_read(const char *path, struct seal_keys *ret, struct buf *error)
{
    char text[FILE_MAX + 1];
    memset(ret, 0, sizeof *ret);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return refuse(error, path,
                      "is missing: bring it back; for a new one, the line \"" WORD
                      " $(openssl rand "
                      "-hex 8) $(openssl rand -hex 32)\", with mode 0600");
    if (fd < 0)
        return refuse(error, path, strerror(errno));
    int r = check(fd, path, ret, error);
    if (r == 0 && (read_text(fd, text) < 0 || parse(text, ret) < 0))
        r = refuse(error, path,
                   "must hold 1 to 16 lines \"" WORD " ID KEY\": 16 and 64 hex digits");
    (void)close(fd);
    sodium_memzero(text, sizeof text);
    return r;
}

bool seal_file_has_changed(const char *path, const struct seal_keys *keys)
{
    struct stat st;
    /* One that is gone or cannot be seen is no reason to stop. */
    return stat(path, &st) == 0 &&
           (st.st_dev != keys->dev || st.st_ino != keys->ino || st.st_size != keys->size ||
            st.st_mtim.tv_sec != keys->mtime.tv_sec || st.st_mtim.tv_nsec != keys->mtime.tv_nsec);
}

/* ---- writing ---- */

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t k = write(fd, p, n);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        p += k;
        n -= (size_t)k;
    }
    return fsync(fd);
}

/* A synced file PATH.new. 0 or -errno. */
static int write_beside(const char *beside, const struct seal_keys *keys)
{
    char text[SEAL_KEYS_MAX * LINE_BYTES + 1];
    size_t len = 0;
    for (size_t i = 0; i < keys->count; i++) {
        char hex[2 * SEAL_KEY_BYTES + 1];
        str_hex(keys->key[i].bytes, SEAL_KEY_BYTES, hex);
        int n = snprintf(text + len, sizeof text - len, WORD " %s %s\n", keys->key[i].id, hex);
        sodium_memzero(hex, sizeof hex);
        if (n < 0)
            return -EINVAL;
        len += (size_t)n;
    }
    (void)unlink(beside); /* what an interrupted one left */
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r = fd < 0 || write_all(fd, text, len) < 0 ? -errno : 0;
    if (fd >= 0 && close(fd) < 0 && r == 0)
        r = -errno;
    sodium_memzero(text, sizeof text);
    return r;
}

static int sync_dir_of(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t n = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);
    if (n >= sizeof dir)
        return -ENAMETOOLONG;
    memcpy(dir, slash ? path : ".", slash ? n : 1);
    dir[slash ? n : 1] = '\0';
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) < 0 ? -errno : 0;
    if (fd >= 0)
        (void)close(fd);
    return r;
}

/* PATH.new written, put in its place by `place`, its directory synced. 0 or -errno. */
static int put(const char *path, const struct seal_keys *keys,
               int (*place)(const char *, const char *))
{
    char beside[PATH_MAX];
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof beside)
        return -ENAMETOOLONG;
    int r = write_beside(beside, keys);
    if (r == 0 && place(beside, path) < 0)
        r = -errno;
    (void)unlink(beside);
    return r < 0 ? r : sync_dir_of(path);
}

int seal_file_make(const char *path, struct buf *error)
{
    struct seal_keys keys = {.count = 1};
    if (access(path, F_OK) == 0)
        return 0;
    seal_key_make(&keys.key[0]);
    int r = put(path, &keys, link); /* fails where another made one meanwhile: that one counts */
    sodium_memzero(&keys, sizeof keys);
    if (r < 0 && r != -EEXIST)
        return refuse(error, path, strerror(-r));
    return 0;
}

int seal_file_write(const char *path, struct seal_keys *keys)
{
    char *real = realpath(path, NULL); /* a symbolic link stays one */
    struct stat st = {0};
    int r = real ? put(real, keys, rename) : -errno;
    if (r == 0 && stat(path, &st) < 0)
        r = -errno;
    free(real);
    if (r < 0) {
        log_error("secrets key file cannot be written", "path", path, "error", strerror(-r));
        return ERR_SYS;
    }
    keys->dev = st.st_dev;
    keys->ino = st.st_ino;
    keys->size = st.st_size;
    keys->mtime = st.st_mtim;
    return 0;
}
