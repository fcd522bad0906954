/* Who we are to others: the PostgreSQL role's rights, and our files' owners and modes. */
#include "orchestrator/health_internal.h"

#include "base/str.h"
#include "db/store_health.h"
#include "orchestrator/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- rights ---- */

static void on_rights(void *user, int err, const struct db_result *r)
{
    struct health_check *c = user;
    if (!health_release(c))
        return;
    if (err < 0) {
        health_failed(c, err, NULL);
        return;
    }
    struct health_report *report = &c->h->report;
    size_t lacking = db_rows(r, 0);
    report->identity.default_roles_verified = lacking == 0;
    report->identity.custom_total += db_rows(r, 1) > 0 ? db_get_i64(r, 1, 0, 0) : 0;
    report->identity.custom_verified = report->identity.custom_total - (int64_t)lacking;
    for (size_t i = 0; i < lacking; i++) {
        char name[160], message[240];
        (void)snprintf(name, sizeof name, "%s/%s", db_get_text(r, 0, i, 0),
                       db_get_text(r, 0, i, 1));
        (void)snprintf(message, sizeof message, "the database role lacks %s on %s",
                       db_get_text(r, 0, i, 1), db_get_text(r, 0, i, 0));
        health_name(&report->identity.missing, name);
        health_issue(report, HEALTH_ERROR, "database_role", name, message,
                     "GRANT it to the role of --database-url");
    }
    health_done(c);
}

int health_check_rights(struct health_check *c)
{
    health_hold(c);
    int r = store_health_rights(c->h->o->pool, on_rights, c);
    if (r < 0)
        (void)health_release(c);
    return r;
}

/* ---- files ---- */

static void look_at(struct health_file *f, long long uid)
{
    struct stat st;
    int fd = open(f->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || fstat(fd, &st) < 0) {
        f->error = errno;
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    f->owner = st.st_uid;
    f->mode = st.st_mode & 07777u;
    if (S_ISDIR(st.st_mode) != f->is_dir) {
        f->error = f->is_dir ? ENOTDIR : EISDIR;
    } else if (f->owner == uid && ((f->mode & f->forbidden) || (~f->mode & f->needed))) {
        f->is_repaired = fchmod(fd, (f->mode & ~f->forbidden) | f->needed) == 0;
        f->error = f->is_repaired ? 0 : errno;
    }
    (void)close(fd);
}

static void look(void *user)
{
    struct health_check *c = user;
    for (size_t i = 0; i < c->file_count; i++)
        look_at(&c->files[i], c->uid);
}

static void tell(struct health_check *c, const struct health_file *f)
{
    struct health_report *r = &c->h->report;
    const char *type = f->is_dir ? "directory" : "file";
    char message[200];
    if (f->error == ENOENT && f->is_optional)
        return;
    r->identity.custom_total++;
    if (f->error) {
        (void)snprintf(message, sizeof message, "it cannot be checked: %s", strerror(f->error));
        health_issue(r, HEALTH_ERROR, type, f->path, message, "put it right by hand");
    } else if (f->owner != c->uid) {
        (void)snprintf(message, sizeof message, "user %lld owns it; the server runs as %lld",
                       f->owner, c->uid);
        health_issue(r, HEALTH_ERROR, type, f->path, message, "chown it to the server's user");
    } else if (f->is_repaired) {
        (void)snprintf(message, sizeof message, "its mode was %04o", f->mode);
        health_repaired(r, type, f->path, message, "its mode was set");
        r->identity.custom_verified++;
    } else {
        r->identity.custom_verified++;
    }
}

static void on_looked(void *user, int err)
{
    struct health_check *c = user;
    if (!health_release(c))
        return;
    if (err < 0) {
        health_failed(c, err, NULL);
        return;
    }
    for (size_t i = 0; i < c->file_count; i++)
        tell(c, &c->files[i]);
    health_done(c);
}

static int add(struct health_check *c, const char *dir, const char *name, struct health_file f)
{
    struct health_file *file = &c->files[c->file_count];
    *file = f;
    int n = snprintf(file->path, sizeof file->path, "%s%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof file->path)
        return ERR_TOO_LARGE;
    c->file_count++;
    return 0;
}

int health_check_files(struct health_check *c)
{
    struct orchestrator *o = c->h->o;
    /* Commands run as another user pass through to their workspaces. */
    unsigned pass = o->set_ids ? 0011 : 0;
    const struct health_file state = {.forbidden = 0022, .needed = 0700, .is_dir = true};
    const struct health_file runs = {.forbidden = 0077, .needed = 0700, .is_dir = true};
    const struct health_file workspaces = {
        .forbidden = 0077u & ~pass, .needed = 0700u | pass, .is_dir = true};
    const struct health_file key = {.forbidden = 0177, .needed = 0600};
    const struct health_file admin = {.forbidden = 0177, .needed = 0600, .is_optional = true};
    c->uid = geteuid();
    int r = add(c, o->state_dir, "", state);
    if (r == 0)
        r = add(c, o->runs_dir, "", runs);
    if (r == 0)
        r = add(c, o->workspaces_dir, "", workspaces);
    if (r == 0)
        r = add(c, o->state_dir, "/admin.key", admin);
    if (r == 0 && o->opts.sealer)
        r = add(c, sealer_path(o->opts.sealer), "", key);
    if (r < 0)
        return r;
    health_hold(c);
    r = loop_work_submit(o->loop, look, on_looked, c);
    if (r < 0)
        (void)health_release(c);
    return r;
}
