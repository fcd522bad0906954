/*
 * The first admin of --dev: a key in STATE_DIR/admin.key and its hash in PostgreSQL. The file is
 * written first: when the database fails, the next start finds the key and registers it then.
 */
#include "orchestrator/internal.h"

#include "base/log.h"
#include "base/str.h"
#include "db/store_keys.h"
#include "orchestrator/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KEY_FILE "admin.key"

struct bootstrap {
    struct op op;
    orchestrator_fn fn;
    void *user;
};

/* True when the file holds a well-formed key (a newline may follow). */
static bool read_key(const char *path, char ret[API_KEY_LEN + 1])
{
    char text[API_KEY_LEN + 2] = "";
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    (void)close(fd);
    if (n < API_KEY_LEN || (n > API_KEY_LEN && text[API_KEY_LEN] != '\n'))
        return false;
    text[API_KEY_LEN] = '\0';
    bool ok = api_key_is_well_formed(text);
    if (ok)
        memcpy(ret, text, API_KEY_LEN + 1);
    sodium_memzero(text, sizeof text);
    return ok;
}

static int write_all(int fd, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, text, n);
        if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            text += done;
            n -= (size_t)done;
        }
    }
    return fsync(fd) < 0 ? -errno : 0;
}

/* Under a name of its own, then renamed: readers see the whole key or none. */
static int write_key(const char *path, const char *key)
{
    char text[API_KEY_LEN + 2];
    (void)snprintf(text, sizeof text, "%s\n", key);
    char new_path[PATH_MAX];
    int n = snprintf(new_path, sizeof new_path, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof new_path)
        return ERR_TOO_LARGE;
    (void)unlink(new_path); /* a crash may have left it */
    int fd = open(new_path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r = fd < 0 ? -errno : write_all(fd, text, strlen(text));
    if (fd >= 0)
        (void)close(fd);
    if (r == 0 && rename(new_path, path) < 0)
        r = -errno;
    sodium_memzero(text, sizeof text);
    if (r == 0)
        return 0;
    log_error("cannot write the admin's key", "path", path, "error", strerror(-r));
    (void)unlink(new_path);
    return ERR_SYS;
}

static void cancelled(struct op *op, const struct problem *p)
{
    struct bootstrap *b = CONTAINER_OF(op, struct bootstrap, op);
    b->fn(b->user, p->err);
}

static void registered(void *user, int err, const struct db_result *r UNUSED)
{
    struct bootstrap *b = user;
    if (op_end(&b->op))
        b->fn(b->user, err);
    free(b);
}

/* The key of the file, made when there is none. */
static int load_key(const struct orchestrator *o, char ret[API_KEY_LEN + 1])
{
    char *path = path_join(o->state_dir, KEY_FILE);
    if (!path)
        return ERR_NOMEM;
    int r = 0;
    if (!read_key(path, ret)) {
        api_key_make(ret);
        r = write_key(path, ret);
    }
    free(path);
    return r;
}

int orchestrator_bootstrap_dev(struct orchestrator *o, const char *email, orchestrator_fn fn,
                               void *user)
{
    char key[API_KEY_LEN + 1], prefix[API_KEY_PREFIX_LEN + 1];
    uint8_t hash[API_KEY_HASH_LEN];
    int r = load_key(o, key);
    if (r < 0)
        return r;
    struct bootstrap *b = calloc(1, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    api_key_hash(key, hash);
    api_key_prefix(key, prefix);
    sodium_memzero(key, sizeof key);
    b->fn = fn;
    b->user = user;
    r = store_bootstrap_admin(o->pool, email, hash, prefix, registered, b);
    if (r < 0) {
        free(b);
        return r;
    }
    op_begin(o, &b->op, cancelled);
    return 0;
}
