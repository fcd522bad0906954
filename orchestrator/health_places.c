/* Images, containers and run directories: what is there against what should be. */
#include "orchestrator/health_internal.h"

#include "base/str.h"
#include "db/store_health.h"
#include "orchestrator/live.h"
#include "orchestrator/registries.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- images: "ID\0REFERENCE\0" one after the other ---- */

static void ask_image(struct health_check *c);

static const char *image_id(const struct health_check *c)
{
    return c->h->images.data + c->at;
}

static const char *image_ref(const struct health_check *c)
{
    return image_id(c) + strlen(image_id(c)) + 1;
}

static void judge_image(struct health_check *c, int err, const struct problem *p)
{
    struct health_report *r = &c->h->report;
    if (err < 0)
        health_issue(r, HEALTH_WARNING, "image", image_id(c), p->details,
                     "pull or import it, or remove its registration");
    else
        r->compute.verified++;
    c->at += strlen(image_id(c)) + strlen(image_ref(c)) + 2;
    ask_image(c);
}

static void on_image(void *user, int err, const struct problem *p)
{
    struct health_check *c = user;
    if (health_release_engine(c))
        judge_image(c, err, p);
}

static void ask_engine(struct health_check *c, const char *registry_auth)
{
    struct engine *e = c->h->o->engine;
    health_hold_engine(c);
    int r = e->ops->has_image(e, image_ref(c), registry_auth, on_image, c);
    if (r < 0) {
        (void)health_release_engine(c);
        health_failed(c, r, NULL);
    }
}

static void on_registry(void *user, const struct problem *p, const char *auth)
{
    struct health_check *c = user;
    if (!health_release(c))
        return;
    if (!p)
        ask_engine(c, auth);
    else if (p->err == ERR_INVALID)
        judge_image(c, p->err, p);
    else
        health_failed(c, p->err, NULL);
}

static void ask_image(struct health_check *c)
{
    struct problem p;
    if (c->at >= c->h->images.len) {
        health_done(c);
        return;
    }
    c->h->report.compute.total++;
    if (!registries_is_secret(c->h->o, image_ref(c))) {
        ask_engine(c, NULL);
        return;
    }
    health_hold(c);
    int r = registries_ask(c->h->o, image_ref(c), on_registry, c, &p);
    if (r < 0) {
        (void)health_release(c);
        health_failed(c, r, NULL);
    }
}

int health_check_images(struct health_check *c)
{
    if (!c->h->o->engine->ops->has_image || c->h->engine_away)
        health_done(c);
    else
        ask_image(c);
    return 0;
}

/* ---- what belongs to no live execution ---- */

/* Ids that no execution of this server has now, with commas between. */
static int unknown_ids(struct health_check *c, struct buf *ret)
{
    struct execution_id id;
    int r = 0;
    for (size_t at = 0; at < c->names.len && r == 0; at += strlen(c->names.data + at) + 1) {
        if (execution_id_parse(c->names.data + at, &id) < 0 ||
            live_find(c->h->o, execution_id_key(&id)))
            continue;
        r = ret->len > 0 ? buf_append_char(ret, ',') : 0;
        if (r == 0)
            r = buf_append_str(ret, id.hex);
    }
    return r;
}

static int ask_known(struct health_check *c, db_batch_fn fn)
{
    struct buf ids CLEANUP_BUF = {.max = HEALTH_NAMES_BYTES};
    int r = unknown_ids(c, &ids);
    if (r < 0)
        return r;
    if (ids.len == 0) {
        health_done(c);
        return 0;
    }
    health_hold(c);
    r = store_health_known(c->h->o->pool, ids.data, fn, c);
    if (r < 0)
        (void)health_release(c);
    return r;
}

static bool is_among(const struct db_result *r, size_t stmt, const char *id)
{
    for (size_t i = 0; i < db_rows(r, stmt); i++) {
        if (str_eq(db_get_text(r, stmt, i, 0), id))
            return true;
    }
    return false;
}

/* One that is nobody's: listed, and put among those to be removed where that is wanted. */
static void orphan(struct health_check *c, const char *type, const char *id)
{
    struct health *h = c->h;
    char name[64];
    (void)snprintf(name, sizeof name, "%s/%s", type, id);
    h->report.compute.orphaned++;
    health_name(&h->report.compute.orphans, name);
    if (h->o->opts.remove_orphans) {
        health_repaired(&h->report, type, id, "it belongs to no live execution", "removed");
        health_name(&c->gone, id);
    } else {
        health_issue(&h->report, HEALTH_WARNING, type, id, "it belongs to no live execution",
                     "remove it, or let the server do so with --remove-orphans");
    }
}

/* ---- containers ---- */

static void on_containers_known(void *user, int err, const struct db_result *r)
{
    struct health_check *c = user;
    struct execution_id id;
    if (!health_release(c))
        return;
    if (err < 0) {
        health_failed(c, err, NULL);
        return;
    }
    struct orchestrator *o = c->h->o;
    for (size_t at = 0; at < c->names.len; at += strlen(c->names.data + at) + 1) {
        const char *name = c->names.data + at;
        if (execution_id_parse(name, &id) == 0 && !live_find(o, execution_id_key(&id)) &&
            !is_among(r, 0, name))
            orphan(c, "container", name);
    }
    for (size_t at = 0; at < c->gone.len; at += strlen(c->gone.data + at) + 1) {
        char *dir CLEANUP_FREE = path_join(o->runs_dir, c->gone.data + at);
        if (dir && o->engine->ops->clean)
            (void)o->engine->ops->clean(o->engine, dir);
    }
    health_done(c);
}

static void on_containers(void *user, int err, const struct problem *p, const char *const *ids,
                          size_t n)
{
    struct health_check *c = user;
    if (!health_release_engine(c))
        return;
    for (size_t i = 0; i < n; i++)
        health_name(&c->names, ids[i]);
    int r = err < 0 ? err : ask_known(c, on_containers_known);
    if (r < 0)
        health_failed(c, r, err < 0 ? p->details : NULL);
}

int health_check_containers(struct health_check *c)
{
    struct engine *e = c->h->o->engine;
    if (!e->ops->list || c->h->engine_away) {
        health_done(c);
        return 0;
    }
    health_hold_engine(c);
    int r = e->ops->list(e, on_containers, c);
    if (r < 0)
        (void)health_release_engine(c);
    return r;
}

/* ---- run directories ---- */

static void read_names(void *user)
{
    struct health_check *c = user;
    struct execution_id id;
    const struct dirent *entry;
    DIR *dir = opendir(c->dir);
    while (dir && (entry = readdir(dir)) != NULL) {
        if (execution_id_parse(entry->d_name, &id) == 0)
            health_name(&c->names, id.hex);
    }
    if (dir)
        (void)closedir(dir);
    c->at = dir != NULL;
}

/* Off the loop. A runner that lives in one is told to stop; its directory goes the next time. */
static void remove_directories(void *user)
{
    struct health_check *c = user;
    for (size_t at = 0; at < c->gone.len; at += strlen(c->gone.data + at) + 1) {
        enum rundir_liveness liveness;
        pid_t pid;
        char path[1024];
        int n = snprintf(path, sizeof path, "%s/%s", c->dir, c->gone.data + at);
        if (n < 0 || (size_t)n >= sizeof path)
            continue;
        int fd = rundir_open(path);
        if (fd >= 0 && rundir_liveness(fd, &liveness, &pid) == 0 && liveness == RUNDIR_ALIVE)
            (void)!rundir_signal(fd, SIGTERM);
        else
            (void)!rundir_remove(path);
        if (fd >= 0)
            (void)close(fd);
    }
}

static void on_removed(void *user, int err UNUSED)
{
    struct health_check *c = user;
    if (health_release(c))
        health_done(c);
}

static void on_directories_known(void *user, int err, const struct db_result *r)
{
    struct health_check *c = user;
    struct execution_id id;
    bool has_ended = false;
    if (!health_release(c))
        return;
    if (err < 0) {
        health_failed(c, err, NULL);
        return;
    }
    struct health *h = c->h;
    for (size_t at = 0; at < c->names.len; at += strlen(c->names.data + at) + 1) {
        const char *name = c->names.data + at;
        if (execution_id_parse(name, &id) < 0 || live_find(h->o, execution_id_key(&id)) ||
            is_among(r, 0, name))
            continue;
        if (is_among(r, 1, name)) {
            health_repaired(&h->report, "run_directory", name, "its execution has ended",
                            "cleaned up");
            has_ended = true;
        } else {
            orphan(c, "run_directory", name);
        }
    }
    if (has_ended)
        leftovers_look(h->o);
    health_hold(c);
    if (c->gone.len == 0 || loop_work_submit(h->o->loop, remove_directories, on_removed, c) < 0)
        on_removed(c, 0);
}

static void on_names(void *user, int err)
{
    struct health_check *c = user;
    if (!health_release(c))
        return;
    int r = err < 0 ? err : c->at ? ask_known(c, on_directories_known) : ERR_SYS;
    if (r < 0)
        health_failed(c, r, r == ERR_SYS ? "the directory of the runs cannot be read" : NULL);
}

int health_check_directories(struct health_check *c)
{
    struct orchestrator *o = c->h->o;
    int r = str_copy(c->dir, sizeof c->dir, o->runs_dir);
    if (r < 0)
        return r;
    health_hold(c);
    r = loop_work_submit(o->loop, read_names, on_names, c);
    if (r < 0)
        (void)health_release(c);
    return r;
}
