/*
 * Leases (leases.h). A home may be on a disk that hangs: it is looked at off the loop, and one
 * whose look has not ended is not reachable.
 *
 *   take: found ─▶ probing ─▶ asking ─▶ rows adopted or ended, freed
 *           └────────────────▲ (to be ended)
 */
#include "orchestrator/leases.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "db/store_gateways.h"
#include "orchestrator/live.h"
#include "orchestrator/recover.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define BEATS 3      /* renewals in a lease */
#define PROBES_MAX 2 /* at a time: a disk that hangs keeps its thread */
#define ID_FILE "gateway.id"
#define ID_MAX 64

struct leases {
    struct op op; /* of the renewal, then of the look */
    struct orchestrator *o;
    struct loop_timer *timer;
    struct list takes;
    size_t probes;
    bool is_busy;
    bool is_doubtful;          /* rows may be ours that nobody goes on with */
    bool with_own;             /* so the look under way asks for them */
    int64_t doubtful_since_ms; /* 0 = they are not */
};

struct take {
    struct op op;
    struct list node;
    struct leases *s; /* NULL once that is freed */
    char *owner, *home, *state_dir;
    bool is_own;       /* they are ours already */
    bool is_probing;   /* the thread pool has it */
    bool is_reachable; /* the probe's answer */
    bool is_lost;      /* they are to be ended */
    bool is_overdue;   /* should they not be reachable, it is time to end them */
    bool is_news;      /* the lease ran out just now */
};

int leases_renew(struct orchestrator *o, bool begins, db_batch_fn fn, void *user)
{
    const struct store_gateway g = {.gateway_id = o->gateway_id,
                                    .host = o->host,
                                    .state_dir = o->state_dir,
                                    .engine = o->engine->ops->name,
                                    .lease_ms = o->opts.lease_ms};
    return store_gateway_renew(o->pool, &g, begins, fn, user);
}

/* ---- one owner's executions in one home ---- */

static void take_free(struct take *t)
{
    list_remove(&t->node);
    free(t->owner);
    free(t->home);
    free(t->state_dir);
    free(t);
}

static int go_on_with(const struct take *t, const struct store_launch *launch)
{
    struct orchestrator *o = t->s->o;
    struct live *l;
    if (live_find(o, launch->row.key))
        return 0;
    if (!t->is_lost)
        return recover_adopt(o, t->state_dir, launch);
    /* In a directory of our own, where nothing is: theirs may hang. */
    int err = live_new(o, &launch->row, &l);
    if (err == 0)
        live_end_directly(l, RUN_GATEWAY_LOST);
    return err;
}

/* With an error it is not known whether they are ours. */
static void taken(void *user, int err, const struct store_launch *rows, size_t n)
{
    struct take *t = user;
    if (!op_end(&t->op)) {
        take_free(t);
        return;
    }
    if (n > 0 && !t->is_own)
        log_warn(t->is_lost ? "a gateway is lost: its executions are ended"
                            : "executions of a gateway taken over",
                 "gateway", t->owner, "state_dir", t->state_dir, "executions", LOG_NUM(n));
    for (size_t i = 0; i < n; i++) {
        int r = go_on_with(t, &rows[i]);
        err = err < 0 ? err : r;
    }
    if (err < 0) {
        log_warn("taking executions over is not complete", "gateway", t->owner, "error",
                 err_name(err));
        t->s->is_doubtful = true;
    }
    take_free(t);
}

/* For the next look. */
static void leave(struct take *t)
{
    t->s->is_doubtful |= t->is_own;
    take_free(t);
}

static void tell_unreachable(const struct take *t)
{
    if (t->is_news)
        log_warn("a gateway is gone, and its state directory cannot be reached from here",
                 "gateway", t->owner, "state_dir", t->state_dir);
}

static void ask(struct take *t)
{
    struct orchestrator *o = t->s->o;
    int err = t->is_own ? store_strays_own(o->pool, o->gateway_id, t->home, taken, t)
                        : store_strays_take(o->pool, o->gateway_id, t->owner, t->home, taken, t);
    if (err == 0) {
        op_begin(o, &t->op, NULL);
        return;
    }
    leave(t);
}

/* In the thread pool. */
static void probe(void *user)
{
    struct take *t = user;
    char id[ID_MAX + 1];
    char *path CLEANUP_FREE = path_join(t->state_dir, ID_FILE);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    ssize_t n = read(fd, id, ID_MAX);
    (void)close(fd);
    if (n < 0)
        return;
    id[n] = '\0';
    id[strcspn(id, "\n")] = '\0';
    t->is_reachable = str_eq(id, t->home);
}

static void probed(void *user, int err)
{
    struct take *t = user;
    struct leases *s = t->s;
    t->is_probing = false;
    if (!s) {
        take_free(t);
        return;
    }
    s->probes--;
    t->is_lost = t->is_overdue && !t->is_reachable;
    if (err == 0 && (t->is_reachable || t->is_lost)) {
        ask(t);
        return;
    }
    tell_unreachable(t);
    leave(t);
}

/* Its runner can be told to stop, and what is running seen, from here. */
static bool is_neighbour(const struct orchestrator *o, const struct store_gateway *home)
{
    const struct engine_ops *ops = o->engine->ops;
    return str_eq(home->engine, ops->name) && (ops->workspace || str_eq(home->host, o->host));
}

static bool is_overdue(const struct leases *s, bool is_own, const struct store_stray *stray)
{
    int64_t for_ms = is_own ? clock_mono_ms() - s->doubtful_since_ms : stray->lapsed_ms;
    return for_ms >= s->o->opts.gateway_lost_ms;
}

static struct take *take_new(struct leases *s, const struct store_stray *stray)
{
    struct take *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    list_init(&t->node);
    if (str_set(&t->owner, stray->owner) < 0 || str_set(&t->home, stray->home.gateway_id) < 0 ||
        str_set(&t->state_dir, stray->home.state_dir) < 0) {
        take_free(t);
        return NULL;
    }
    t->s = s;
    t->is_own = str_eq(stray->owner, s->o->gateway_id);
    t->is_overdue = is_overdue(s, t->is_own, stray);
    t->is_news = stray->lapsed_ms < s->o->opts.lease_ms;
    list_append(&s->takes, &t->node);
    return t;
}

static struct take *take_find(const struct leases *s, const struct store_stray *stray)
{
    LIST_FOREACH (it, &s->takes) {
        struct take *t = LIST_ENTRY(it, struct take, node);
        if (str_eq(t->owner, stray->owner) && str_eq(t->home, stray->home.gateway_id))
            return t;
    }
    return NULL;
}

static void begin_take(struct leases *s, const struct store_stray *stray)
{
    struct take *under_way = take_find(s, stray);
    bool may_reach = is_neighbour(s->o, &stray->home);
    bool hangs = under_way && under_way->is_probing;
    bool is_new = !under_way && may_reach && s->probes < PROBES_MAX;
    if (under_way && !hangs)
        return;
    struct take *t = is_new || hangs || !may_reach ? take_new(s, stray) : NULL;
    if (!t) {
        s->is_doubtful |= s->with_own; /* the next look tries again */
        return;
    }
    if (is_new && loop_work_submit(s->o->loop, probe, probed, t) == 0) {
        t->is_probing = true;
        s->probes++;
        return;
    }
    t->is_lost = !is_new && t->is_overdue;
    if (t->is_lost) {
        ask(t);
        return;
    }
    if (!is_new)
        tell_unreachable(t);
    leave(t);
}

/* ---- the look ---- */

static void found(void *user, int err, const struct store_stray *rows, size_t n)
{
    struct leases *s = user;
    if (!op_end(&s->op)) {
        free(s);
        return;
    }
    s->is_busy = false;
    if (err < 0) {
        log_warn("cannot look for gateways that are gone", "error", err_name(err));
        s->is_doubtful |= s->with_own;
    }
    for (size_t i = 0; i < n; i++)
        begin_take(s, &rows[i]);
}

static bool has_own_under_way(const struct leases *s)
{
    LIST_FOREACH (it, &s->takes) {
        if (LIST_ENTRY(it, struct take, node)->is_own)
            return true;
    }
    return false;
}

static void look(struct leases *s)
{
    struct orchestrator *o = s->o;
    s->with_own = s->is_doubtful || has_own_under_way(s);
    if (!s->with_own)
        s->doubtful_since_ms = 0;
    else if (s->doubtful_since_ms == 0)
        s->doubtful_since_ms = clock_mono_ms();
    if (store_strays(o->pool, o->gateway_id, s->with_own, found, s) < 0)
        return;
    s->is_doubtful = false;
    s->is_busy = true;
    op_begin(o, &s->op, NULL);
}

static void renewed(void *user, int err, const struct db_result *r UNUSED)
{
    struct leases *s = user;
    if (!op_end(&s->op)) {
        free(s);
        return;
    }
    s->is_busy = false;
    if (err < 0)
        log_warn("the lease could not be renewed", "error", err_name(err));
    else if (!s->o->is_leaving)
        look(s);
}

static void beat(void *user)
{
    struct leases *s = user;
    doubts_look(s->o);
    if (s->is_busy || leases_renew(s->o, false, renewed, s) < 0)
        return;
    s->is_busy = true;
    op_begin(s->o, &s->op, NULL);
}

/* ---- life cycle ---- */

int leases_new(struct orchestrator *o, struct leases **ret)
{
    struct leases *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->o = o;
    s->is_doubtful = true;
    list_init(&s->takes);
    int err = loop_timer_new(o->loop, beat, s, &s->timer);
    if (err < 0) {
        free(s);
        return err;
    }
    *ret = s;
    return 0;
}

void leases_start(struct leases *s)
{
    int64_t third_ms = s->o->opts.lease_ms / BEATS > 0 ? s->o->opts.lease_ms / BEATS : 1;
    loop_timer_start(s->timer, third_ms, third_ms);
}

/* What waits for an answer frees itself when that comes. */
void leases_free(struct leases *s)
{
    if (!s)
        return;
    LIST_FOREACH_SAFE (it, &s->takes) {
        struct take *t = LIST_ENTRY(it, struct take, node);
        list_remove(&t->node);
        t->s = NULL;
    }
    loop_timer_free(s->timer);
    if (!s->is_busy)
        free(s);
}
