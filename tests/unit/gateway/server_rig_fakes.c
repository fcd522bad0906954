/* The rig's orchestrator, hub and streams. */
#include "server_rig.h"

#include "gateway/stream.h"
#include "gateway/stream_deflate.h"
#include "orchestrator/tickets.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- answers on a later turn ---- */

struct pending {
    void (*deliver)(struct pending *p);
    void *fn, *user;
    struct loop_timer *timer;
    struct pending *next;
    struct execution_filter filter;
    bool good_key;
};
static struct pending *held;

static void deliver(void *user)
{
    struct pending *p = user;
    loop_timer_free(p->timer);
    p->deliver(p);
    free(p);
}

static struct pending *later(void (*how)(struct pending *), void *fn, void *user)
{
    struct pending *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    p->deliver = how;
    p->fn = fn;
    p->user = user;
    if (rig.world.holds) {
        p->next = held;
        held = p;
        rig.world.held++;
        return p;
    }
    assert_int_equal(loop_timer_new(rig.loop, deliver, p, &p->timer), 0);
    loop_timer_start(p->timer, 0, 0);
    return p;
}

void rig_release(void)
{
    struct pending *now = held; /* what these ask in turn is held again */
    held = NULL;
    rig.world.held = 0;
    while (now) {
        struct pending *p = now;
        now = p->next;
        p->deliver(p);
        free(p);
    }
}

static const struct problem *trouble(void)
{
    return rig.world.problem.err ? &rig.world.problem : NULL;
}

static int refused(struct problem *p)
{
    if (!rig.world.refuses)
        return 0;
    *p = rig.world.problem;
    return p->err;
}

/* ---- orchestrator ---- */

static void give_row(struct pending *p)
{
    orchestrator_execution_fn fn = (orchestrator_execution_fn)p->fn;
    fn(p->user, trouble(), trouble() ? NULL : &rig.world.row);
}

static void give_run(struct pending *p)
{
    orchestrator_run_fn fn = (orchestrator_run_fn)p->fn;
    fn(p->user, trouble(), trouble() ? NULL : &rig.world.row, rig.world.is_replayed);
}

int orchestrator_run(struct orchestrator *o, const struct caller *by, const struct run_request *r,
                     orchestrator_run_fn fn, void *user, struct problem *p)
{
    (void)o;
    assert_string_equal(by->who->email, "dev@example.org");
    assert_string_equal(by->address, "127.0.0.1");
    rig.world.runs++;
    (void)snprintf(rig.world.command, sizeof(rig.world.command), "%s",
                   r->command ? r->command : "");
    (void)snprintf(rig.world.image, sizeof(rig.world.image), "%s", r->image ? r->image : "");
    (void)snprintf(rig.world.request_id, sizeof(rig.world.request_id), "%s", by->request_id);
    (void)snprintf(rig.world.key, sizeof(rig.world.key), "%s",
                   r->idempotency_key ? r->idempotency_key : "");
    (void)snprintf(rig.world.git, sizeof(rig.world.git), "%s %s %s", r->git_repo ? r->git_repo : "",
                   r->git_ref ? r->git_ref : "", r->git_path ? r->git_path : "");
    (void)snprintf(rig.world.secret, sizeof(rig.world.secret), "%s",
                   r->secrets_count > 0 ? r->secrets[0] : "");
    rig.world.env_count = r->env_count;
    rig.world.timeout_s = r->timeout_s;
    rig.world.grace_s = r->grace_s;
    rig.world.tty = r->tty;
    int err = refused(p);
    if (!err)
        later(give_run, (void *)fn, user);
    return err;
}

int orchestrator_get(struct orchestrator *o, const struct principal *who, enum action action,
                     const struct execution_id *id, orchestrator_execution_fn fn, void *user,
                     struct problem *p)
{
    (void)o;
    (void)who;
    assert_int_equal(action, ACTION_READ);
    assert_string_equal(id->hex, RIG_ID);
    rig.world.gets++;
    int err = refused(p);
    if (!err)
        later(give_row, (void *)fn, user);
    return err;
}

static void give_kill(struct pending *p)
{
    orchestrator_kill_fn fn = (orchestrator_kill_fn)p->fn;
    fn(p->user, trouble(), trouble() ? NULL : &rig.world.row, rig.world.stopped_now);
}

int orchestrator_kill(struct orchestrator *o, const struct caller *by,
                      const struct execution_id *id, orchestrator_kill_fn fn, void *user,
                      struct problem *p)
{
    (void)o;
    (void)id;
    assert_non_null(by->who);
    assert_int_equal(strlen(by->request_id), 32);
    rig.world.kills++;
    int err = refused(p);
    if (!err)
        later(give_kill, (void *)fn, user);
    return err;
}

static void give_rows(struct pending *p)
{
    orchestrator_executions_fn fn = (orchestrator_executions_fn)p->fn;
    int64_t newest = rig.world.row.key + (int64_t)rig.world.rows - 1;
    int64_t from = p->filter.before_key ? p->filter.before_key - 1 : newest;
    struct execution rows[RIG_ROWS];
    size_t n = 0;
    bool fails = rig.world.fail_list_after && rig.world.lists > rig.world.fail_list_after;
    struct problem away;
    if (fails)
        (void)problem_set(&away, ERR_DB_AWAY, "failed to list executions", "away");
    for (int64_t key = from; key >= rig.world.row.key && n < p->filter.limit; key--) {
        assert_true(n < RIG_ROWS);
        rows[n] = rig.world.row;
        rows[n].key = key;
        execution_id_make(key, 7, &rows[n++].id);
    }
    if (fails || trouble())
        fn(p->user, fails ? &away : trouble(), NULL, 0);
    else
        fn(p->user, NULL, rows, n);
}

int orchestrator_list(struct orchestrator *o, const struct principal *who,
                      const struct execution_filter *f, orchestrator_executions_fn fn, void *user,
                      struct problem *p)
{
    (void)o;
    (void)who;
    rig.world.lists++;
    rig.world.filter = *f;
    (void)snprintf(rig.world.filter_created_by, sizeof(rig.world.filter_created_by), "%s",
                   f->created_by ? f->created_by : "");
    int err = refused(p);
    if (!err)
        later(give_rows, (void *)fn, user)->filter = *f;
    return err;
}

static void give_principal(struct pending *p)
{
    orchestrator_principal_fn fn = (orchestrator_principal_fn)p->fn;
    const struct principal who = {
        .user_key = 1, .role = rig.world.role, .email = "dev@example.org"};
    struct problem bad;
    (void)problem_set(&bad, ERR_BAD_KEY, "Unauthorized", "Invalid API key");
    if (p->good_key)
        fn(p->user, NULL, &who);
    else
        fn(p->user, &bad, NULL);
}

int orchestrator_authenticate(struct orchestrator *o, const char *key, orchestrator_principal_fn fn,
                              void *user, struct problem *p)
{
    (void)o;
    rig.world.authentications++;
    if (str_eq(key, "tg_away"))
        return problem_set(p, ERR_DB_AWAY, "Server error", "failed to get user by API key hash");
    later(give_principal, (void *)fn, user)->good_key = str_eq(key, RIG_KEY);
    return 0;
}

int orchestrator_token_make(struct orchestrator *o, const struct principal *who,
                            const struct execution_id *id, char ret[STREAM_TOKEN_SIZE])
{
    (void)o;
    (void)who;
    (void)id;
    return str_copy(ret, STREAM_TOKEN_SIZE, "TOKEN");
}

static void give_ticket(struct pending *p)
{
    orchestrator_ticket_fn fn = (orchestrator_ticket_fn)p->fn;
    fn(p->user, trouble(), trouble() ? NULL : "TICKET", 1700000030000000);
}

int orchestrator_ticket_make(struct orchestrator *o, const struct principal *who,
                             orchestrator_ticket_fn fn, void *user, struct problem *p)
{
    (void)o;
    assert_string_equal(who->email, "dev@example.org");
    int err = refused(p);
    if (!err)
        later(give_ticket, (void *)fn, user);
    return err;
}

int orchestrator_ticket_redeem(struct orchestrator *o, const char *ticket,
                               orchestrator_principal_fn fn, void *user, struct problem *p)
{
    return orchestrator_authenticate(o, str_eq(ticket, "TICKET") ? RIG_KEY : ticket, fn, user, p);
}

bool orchestrator_is_ready(const struct orchestrator *o)
{
    (void)o;
    return rig.world.is_ready;
}

void orchestrator_stats(const struct orchestrator *o, struct orchestrator_stats *ret)
{
    (void)o;
    *ret = (struct orchestrator_stats){.live = {[EXEC_RUNNING] = 3, [EXEC_TERMINATING] = 1},
                                       .api = {.connections = 4,
                                               .ready = 4,
                                               .waiting = 7,
                                               .wait_seconds = {.counts = {3, 2}, .sum_us = 170}},
                                       .writer = {.connections = 1, .ready = 1},
                                       .log = {.groups = 11, .lines = 1000, .bytes = 6893},
                                       .spool_bytes = 4096};
    metrics_observe_us(&ret->log.commit_seconds, 300);
}

/* ---- hub ---- */

void hub_stats(const struct hub *h, struct hub_stats *ret)
{
    (void)h;
    *ret = (struct hub_stats){.topics = 2, .cursors = 9, .ring_bytes = 12345, .replay_pages = 6};
}

void hub_backlog(const struct hub *h, struct hub_backlog *ret)
{
    (void)h;
    *ret = (struct hub_backlog){.cursors = 2, .lines = 50, .lines_max = 49};
}

struct cursor {
    loop_fn wake;
    void *user;
    struct loop_timer *timer;
};
static struct cursor *the_cursor;

int hub_topic_open(struct hub *h, const struct execution *row, struct topic **ret)
{
    (void)h;
    (void)row;
    if (rig.hub_error)
        return rig.hub_error;
    rig.topics_open++;
    *ret = (struct topic *)(void *)&rig;
    return 0;
}

void topic_unref(struct topic *t)
{
    (void)t;
    rig.topics_open--;
}

const struct exec_state *topic_state(const struct topic *t)
{
    (void)t;
    return rig.states_count ? &rig.states[rig.states_count - 1] : &rig.world.row.state;
}

size_t topic_states(const struct topic *t, const struct exec_state **ret)
{
    *ret = rig.states_count ? rig.states : topic_state(t);
    return rig.states_count ? rig.states_count : 1;
}

static void on_wake(void *user)
{
    struct cursor *c = user;
    c->wake(c->user);
}

int cursor_open(struct topic *t, uint64_t after, loop_fn wake, void *user, struct cursor **ret)
{
    (void)t;
    struct cursor *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    c->wake = wake;
    c->user = user;
    assert_int_equal(loop_timer_new(rig.loop, on_wake, c, &c->timer), 0);
    rig.position = rig.opened_after = after;
    rig.cursors_open++;
    the_cursor = c;
    *ret = c;
    return 0;
}

void cursor_close(struct cursor *c)
{
    loop_timer_free(c->timer);
    the_cursor = NULL;
    rig.cursors_open--;
    free(c);
}

int cursor_next(struct cursor *c, struct chunk **ret, uint32_t *ret_first_line,
                uint64_t *ret_gap_from, uint64_t *ret_gap_to)
{
    if (rig.steps_done == rig.steps_count)
        return ERR_AGAIN;
    struct rig_step *s = &rig.steps[rig.steps_done++];
    if (s->err && s->err != ERR_END && s->err != ERR_GAP && rig.auto_wake)
        loop_timer_start(c->timer, 1, 0);
    if (s->err == ERR_GAP)
        *ret_gap_from = *ret_gap_to = ++rig.position;
    if (s->err)
        return s->err;
    *ret = s->chunk;
    *ret_first_line = s->first_line;
    rig.position = chunk_last_seq(s->chunk);
    return 0;
}

uint64_t cursor_position(const struct cursor *c)
{
    (void)c;
    return rig.position;
}

void rig_wake(void)
{
    if (the_cursor)
        loop_timer_start(the_cursor->timer, 0, 0);
}

/* ---- streams: an upgrade to /echo is let in, and every message closes ---- */

const struct streams_stats *streams_stats(const struct streams *st)
{
    static const struct streams_stats figures = {.opened = 5, .sent_lines = 2000};
    (void)st;
    return &figures;
}

size_t streams_count(const struct streams *st)
{
    (void)st;
    return 2;
}

int streams_new(struct server *s, struct streams **ret)
{
    (void)s;
    *ret = NULL;
    return rig.fail_streams;
}

void streams_free(struct streams *st)
{
    (void)st;
}

void streams_leave(struct streams *st)
{
    (void)st;
    rig.left++;
}

int stream_filter_upgrade(struct streams *st, struct lws *wsi)
{
    (void)st;
    (void)wsi;
    rig.filtered++;
    return 0;
}

int stream_established(struct streams *st, struct lws *wsi, const char *client, void **session)
{
    (void)st;
    assert_string_equal(client, "127.0.0.1");
    rig.established++;
    *session = wsi;
    lws_callback_on_writable(wsi);
    return 0;
}

int stream_received(void *session, const void *in, size_t len)
{
    (void)session;
    (void)in;
    (void)len;
    rig.messages++;
    return -1;
}

int stream_writeable(void *session)
{
    (void)session;
    return 0;
}

const struct lws_extension stream_extensions[] = {{.name = NULL}};
int stream_confirm_extension(struct lws *wsi)
{
    (void)wsi;
    return 1;
}
int stream_complete_answer(struct lws *wsi, struct lws_process_html_args *args)
{
    (void)wsi;
    (void)args;
    return 0;
}
void stream_use_deflate(void *session)
{
    (void)session;
}
int stream_peer_left(void *session)
{
    (void)session;
    return 0;
}
int stream_pong(void *session)
{
    (void)session;
    rig.messages += 100;
    return 0;
}

void stream_closed(void *session)
{
    (void)session;
    rig.closed++;
}
