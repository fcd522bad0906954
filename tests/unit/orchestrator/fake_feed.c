/* Feeds that record what they are told, a hub that records what is published, and an engine. */
#include "fake.h"

#include "logs/redact.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct exec_state fake_published;
unsigned fake_publications, fake_pokes;

static struct list feeds = {&feeds, &feeds};
static int open_returns, transition_returns, topic_open_returns;

void fake_feed_reset(void);
void fake_feed_reset(void)
{
    assert_int_equal(fake_feeds(), 0);
    open_returns = transition_returns = topic_open_returns = 0;
    fake_publications = fake_pokes = 0;
    memset(&fake_published, 0, sizeof fake_published);
}

struct feed *fake_feed(int64_t key)
{
    LIST_FOREACH (it, &feeds) {
        struct feed *f = LIST_ENTRY(it, struct feed, node);
        if (f->key == key)
            return f;
    }
    return NULL;
}

size_t fake_feeds(void)
{
    size_t n = 0;
    LIST_FOREACH (it, &feeds)
        n++;
    return n;
}

void fake_commit(struct feed *f)
{
    while (f->committed < f->count) {
        struct exec_state s = f->transitions[f->committed++].to;
        f->cb.on_committed(f->user, &s);
    }
}

void fake_feed_open_returns(int err)
{
    open_returns = err;
}

void fake_transition_returns(int err)
{
    transition_returns = err;
}

int feed_open(struct writer *w UNUSED, const struct execution *row, const char *path, int spool_fd,
              int ack_fd, const struct feed_callbacks *cb, void *user, struct feed **ret)
{
    assert_int_equal(access(path, R_OK), 0);
    (void)close(spool_fd);
    (void)close(ack_fd);
    if (open_returns < 0)
        return open_returns;
    struct feed *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->cb = *cb;
    f->user = user;
    f->state = row->state;
    f->key = row->key;
    list_append(&feeds, &f->node);
    *ret = f;
    return 0;
}

void feed_free(struct feed *f)
{
    list_remove(&f->node);
    free(f);
}

int feed_set_redactor(struct feed *f, struct redactor *r)
{
    f->is_redacting = r != NULL;
    f->is_held = false;
    redactor_free(r);
    return 0;
}

void feed_hold(struct feed *f)
{
    f->is_held = true;
}

void feed_wake(struct feed *f)
{
    f->wakes++;
}

bool feed_is_drained(const struct feed *f)
{
    return f->is_drained;
}

int feed_transition(struct feed *f, const struct exec_state *to, const char *cause,
                    const char *request_id)
{
    if (transition_returns < 0)
        return transition_returns;
    assert_true(exec_status_may_become(f->state.status, to->status));
    assert_true(f->count < FAKE_TRANSITIONS_MAX);
    int64_t version = f->state.version + 1;
    f->state = *to;
    f->state.version = version;
    f->transitions[f->count].to = f->state;
    (void)snprintf(f->transitions[f->count].cause, 320, "%s", cause);
    (void)snprintf(f->transitions[f->count].request_id, 64, "%s", request_id);
    f->count++;
    f->lines_at_transition = f->lines;
    return 0;
}

const struct exec_state *feed_state(const struct feed *f)
{
    return &f->state;
}

int feed_system_line(struct feed *f, const char *text)
{
    f->lines++;
    (void)snprintf(f->line, sizeof f->line, "%s", text);
    return 0;
}

/* ---- hub ---- */

int hub_topic_open(struct hub *h UNUSED, const struct execution *row UNUSED, struct topic **ret)
{
    *ret = NULL;
    return topic_open_returns;
}

void fake_topic_open_returns(int err)
{
    topic_open_returns = err;
}

void topic_publish_state(struct topic *t UNUSED, const struct exec_state *s)
{
    fake_published = *s;
    fake_publications++;
}

void topic_unref(struct topic *t UNUSED)
{
}

void hub_poke(struct hub *h UNUSED, int64_t execution_key UNUSED)
{
    fake_pokes++;
}

/* ---- engine ---- */

static int engine_start(struct engine *e UNUSED, const struct engine_run *run,
                        const struct engine_start *fns, void *user)
{
    fake_engine.starts++;
    if (fake_engine.start_err < 0)
        return fake_engine.start_err;
    (void)snprintf(fake_engine.run_dir, sizeof fake_engine.run_dir, "%s", run->run_dir);
    fake_engine.started = fns->started;
    fake_engine.on_gone = fns->on_gone;
    fake_engine.user = user;
    return 0;
}

static void engine_forget(struct engine *e UNUSED, void *user)
{
    if (fake_engine.user == user)
        fake_engine.user = NULL;
}

static int engine_stop(struct engine *e UNUSED, const char *run_dir UNUSED)
{
    fake_engine.stops++;
    return fake_engine.stop_err;
}

static int engine_inspect(struct engine *e UNUSED, const char *run_dir UNUSED,
                          enum rundir_liveness *ret)
{
    fake_engine.inspects++;
    if (fake_engine.inspect_err < 0)
        return fake_engine.inspect_err;
    *ret = fake_engine.liveness;
    return 0;
}

static int engine_explain(struct engine *e UNUSED, const char *run_dir UNUSED, engine_verdict_fn fn,
                          void *user)
{
    fake_engine.questions++;
    if (fake_engine.explain_err < 0)
        return fake_engine.explain_err;
    fake_engine.verdict = fn;
    fake_engine.user = user;
    return 0;
}

static bool engine_clean(struct engine *e UNUSED, const char *run_dir UNUSED)
{
    fake_engine.cleanings++;
    return fake_engine.is_clean;
}

static const struct engine_ops engine_ops = {
    .name = "fake",
    .image = "host",
    .start = engine_start,
    .forget = engine_forget,
    .stop = engine_stop,
    .inspect = engine_inspect,
};

const struct engine_ops fake_container_ops = {
    .name = "containers",
    .workspace = "/workspace",
    .start = engine_start,
    .forget = engine_forget,
    .stop = engine_stop,
    .inspect = engine_inspect,
    .explain = engine_explain,
    .clean = engine_clean,
};

struct fake_engine fake_engine = {.base.ops = &engine_ops};
