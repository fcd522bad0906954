/* rig_team.h's fakes. */
#include "rig_team.h"

#include "orchestrator/audit.h"
#include "orchestrator/health.h"
#include "orchestrator/images.h"
#include "orchestrator/trace.h"

struct rig_team rig_team;

static const struct image IMAGE = {.image_id = "app:1-01234567",
                                   .image = "app:1",
                                   .registry = "docker.io",
                                   .name = "app",
                                   .tag = "1",
                                   .digest = "",
                                   .task_role_name = "",
                                   .task_execution_role_name = "",
                                   .runtime_platform = "",
                                   .created_by = "ada@example.org",
                                   .created_at_us = 1700000000000000,
                                   .created_by_request_id = "r1",
                                   .modified_by_request_id = "r1"};

int rig_team_setup(void **state)
{
    memset(&rig_team, 0, sizeof(rig_team));
    return rig_setup(state);
}

struct later {
    void (*deliver)(const struct later *l);
    union {
        images_image_fn image;
        images_list_fn images;
        audit_list_fn audit;
        trace_fn trace;
        health_fn health;
        health_ready_fn ready;
    } fn;
    void *user;
    struct loop_timer *timer;
};

static void on_timer(void *user)
{
    struct later *l = user;
    loop_timer_free(l->timer);
    l->deliver(l);
    free(l);
}

static const struct problem *trouble(void)
{
    return rig.world.problem.err ? &rig.world.problem : NULL;
}

/* NULL: refused at once. */
static struct later *later(void (*deliver)(const struct later *), void *user, struct problem *p)
{
    rig_team.calls++;
    if (rig.world.refuses) {
        *p = rig.world.problem;
        return NULL;
    }
    struct later *l = calloc(1, sizeof(*l));
    assert_non_null(l);
    l->deliver = deliver;
    l->user = user;
    assert_int_equal(loop_timer_new(rig.loop, on_timer, l, &l->timer), 0);
    loop_timer_start(l->timer, 0, 0);
    return l;
}

#define KEEP(at, text) (void)snprintf(at, sizeof(at), "%s", (text) ? (text) : "")

/* ---- images ---- */

static void give_image(const struct later *l)
{
    l->fn.image(l->user, trouble(), trouble() ? NULL : &IMAGE);
}

static int ask_image(images_image_fn fn, void *user, struct problem *p)
{
    struct later *l = later(give_image, user, p);
    if (!l)
        return p->err;
    l->fn.image = fn;
    return 0;
}

int images_resolve(struct orchestrator *o UNUSED, const struct principal *who UNUSED,
                   const char *ref, images_image_fn fn, void *user, struct problem *p)
{
    KEEP(rig_team.text, ref);
    return ask_image(fn, user, p);
}

int images_get(struct orchestrator *o UNUSED, const struct principal *who UNUSED, const char *ref,
               images_image_fn fn, void *user, struct problem *p)
{
    KEEP(rig_team.text, ref);
    return ask_image(fn, user, p);
}

int images_register(struct orchestrator *o UNUSED, const struct caller *by UNUSED,
                    const struct images_new *n, images_image_fn fn, void *user, struct problem *p)
{
    KEEP(rig_team.text, n->image);
    KEEP(rig_team.platform, n->runtime_platform);
    rig_team.cpu = n->cpu;
    rig_team.memory = n->memory;
    rig_team.is_default = n->is_default;
    return ask_image(fn, user, p);
}

int images_remove(struct orchestrator *o UNUSED, const struct caller *by UNUSED,
                  const char *image_id, images_image_fn fn, void *user, struct problem *p)
{
    KEEP(rig_team.text, image_id);
    return ask_image(fn, user, p);
}

static void give_images(const struct later *l)
{
    l->fn.images(l->user, trouble(), trouble() ? NULL : &IMAGE, trouble() ? 0 : 1);
}

int images_list(struct orchestrator *o UNUSED, const struct principal *who UNUSED,
                images_list_fn fn, void *user, struct problem *p)
{
    struct later *l = later(give_images, user, p);
    if (!l)
        return p->err;
    l->fn.images = fn;
    return 0;
}

/* ---- the audit ---- */

void audit_denied(struct orchestrator *o UNUSED, const struct caller *by, const char *action,
                  const char *resource, const char *result, bool is_unknown)
{
    rig_team.denied++;
    KEEP(rig_team.denied_action, action);
    KEEP(rig_team.denied_resource, resource);
    KEEP(rig_team.denied_result, result);
    KEEP(rig_team.denied_by, by->who ? by->who->email : "");
    rig_team.denied_unknown = is_unknown;
}

void audit_flush(struct orchestrator *o UNUSED)
{
}

void audit_free(struct audit *a UNUSED)
{
}

static void give_audit(const struct later *l)
{
    static const struct audit_entry entry = {.email = "ada@example.org",
                                             .key_id = 7,
                                             .address = "::1",
                                             .request_id = "r1",
                                             .action = "secrets.read",
                                             .resource = "secret/db",
                                             .result = "FORBIDDEN",
                                             .count = 3};
    struct audit_entry rows[8];
    for (size_t i = 0; i < rig_team.rows; i++) {
        rows[i] = entry;
        rows[i].audit_id = 100 - (int64_t)i;
        rows[i].at_us = 1700000000000000;
    }
    l->fn.audit(l->user, trouble(), trouble() ? NULL : rows, trouble() ? 0 : rig_team.rows);
}

int audit_list(struct orchestrator *o UNUSED, const struct principal *who UNUSED,
               const struct audit_filter *f, audit_list_fn fn, void *user, struct problem *p)
{
    struct later *l = later(give_audit, user, p);
    if (!l)
        return p->err;
    l->fn.audit = fn;
    rig_team.filter = *f;
    KEEP(rig_team.email, f->email);
    KEEP(rig_team.action, f->action);
    KEEP(rig_team.resource, f->resource);
    KEEP(rig_team.result, f->result);
    KEEP(rig_team.request_id, f->request_id);
    return 0;
}

/* ---- health ---- */

static void give_report(const struct later *l)
{
    struct health_report r = {.at_us = 1700000000000000, .warnings = 1, .reconciled = 1};
    l->fn.health(l->user, trouble(), trouble() ? NULL : &r);
}

int health_reconcile(struct orchestrator *o UNUSED, const struct caller *by UNUSED, health_fn fn,
                     void *user, struct problem *p)
{
    struct later *l = later(give_report, user, p);
    if (!l)
        return p->err;
    l->fn.health = fn;
    return 0;
}

static void give_lines(const struct later *l)
{
    const struct health_line lines[] = {{"database", rig.world.is_ready, "it is \"away\""},
                                        {"engine", true, ""}};
    l->fn.ready(l->user, lines, 2);
}

int health_ready(struct orchestrator *o UNUSED, health_ready_fn fn, void *user)
{
    struct problem p;
    struct later *l = later(give_lines, user, &p);
    if (!l)
        return ERR_NOMEM;
    l->fn.ready = fn;
    return 0;
}

int health_begin(struct orchestrator *o UNUSED)
{
    return 0;
}

void health_free(struct health *h UNUSED)
{
}

/* ---- traces ---- */

static void give_trace(const struct later *l)
{
    static const struct trace_record record = {5, 1700000000000000, "{\"msg\":\"http\"}", 14};
    const struct trace t = {.records = &record, .count = 1, .images = "[{\"image\":\"app\"}]"};
    l->fn.trace(l->user, trouble(), trouble() ? NULL : &t);
}

int trace_get(struct orchestrator *o UNUSED, const struct principal *who UNUSED,
              const char *request_id, trace_fn fn, void *user, struct problem *p)
{
    struct later *l = later(give_trace, user, p);
    if (!l)
        return p->err;
    l->fn.trace = fn;
    KEEP(rig_team.text, request_id);
    return 0;
}

int trace_begin(struct orchestrator *o UNUSED)
{
    return 0;
}

void tracer_free(struct tracer *t UNUSED)
{
}
