/* The fakes behind the stream tests. */
#include "stream_rig.h"
#include "base/clock.h"

#include "base/log.h"
#include "base/str.h"
#include "orchestrator/audit.h"
#include "orchestrator/tickets.h"

#include <stdio.h>

struct rig rig;
static struct buf taken;
static int the_hub, the_loop, the_server, the_orchestrator;

/* ---- server.h ---- */

struct loop *server_loop(const struct server *s)
{
    (void)s;
    return (struct loop *)(void *)&the_loop;
}
const struct options *server_options(const struct server *s)
{
    (void)s;
    return &rig.options;
}
struct hub *server_hub(const struct server *s)
{
    (void)s;
    return (struct hub *)(void *)&the_hub;
}
struct orchestrator *server_orchestrator(const struct server *s)
{
    (void)s;
    return (struct orchestrator *)(void *)&the_orchestrator;
}
struct watch *server_watch(const struct server *s)
{
    (void)s;
    return rig.watch;
}
bool server_is_leaving(const struct server *s)
{
    (void)s;
    return rig.leaving;
}
bool server_origin_allowed(const struct server *s, const char *origin, const char *host)
{
    (void)s;
    return !origin || (host && !rig.origin_refused);
}

/* ---- audit.h ---- */
void audit_denied(struct orchestrator *o UNUSED, const struct caller *by, const char *action,
                  const char *resource, const char *result, bool is_unknown)
{
    rig.denied++;
    assert_string_equal(by->address, RIG_CLIENT);
    (void)snprintf(rig.denied_text, sizeof rig.denied_text, "%s %s %s %s %d",
                   by->who ? by->who->email : "-", action, resource, result, is_unknown);
}

/* ---- orchestrator.h ---- */

static struct pending_call *pend(void *user)
{
    struct pending_call *c = &rig.pending[rig.n_pending++];

    assert_true(rig.n_pending <= RIG_PENDING);
    memset(c, 0, sizeof *c);
    c->user = user;
    return c;
}

static int fail_sync(struct problem *p)
{
    return rig.sync_error ? problem_set(p, rig.sync_error, "failed", "%s", "synchronously") : 0;
}

int orchestrator_authenticate(struct orchestrator *o, const char *key, orchestrator_principal_fn fn,
                              void *user, struct problem *p)
{
    (void)o;
    if (fail_sync(p))
        return rig.sync_error;
    struct pending_call *c = pend(user);
    c->principal = fn;
    (void)snprintf(c->key, sizeof c->key, "%s", key);
    return 0;
}

int orchestrator_token_principal(struct orchestrator *o, int64_t user_key,
                                 orchestrator_principal_fn fn, void *user, struct problem *p)
{
    assert_int_equal(user_key, 7);
    return orchestrator_authenticate(o, RIG_KEY, fn, user, p);
}

int orchestrator_ticket_redeem(struct orchestrator *o, const char *ticket,
                               orchestrator_principal_fn fn, void *user, struct problem *p)
{
    return orchestrator_authenticate(o, str_eq(ticket, "ticket") ? RIG_KEY : ticket, fn, user, p);
}

int orchestrator_token_check(struct orchestrator *o, const char *token,
                             const struct execution_id *id, int64_t *ret_user_key)
{
    (void)o;
    if (!str_eq(token, "good"))
        return str_eq(token, "other") ? ERR_FORBIDDEN : ERR_BAD_KEY;
    assert_int_equal(strlen(id->hex), EXECUTION_ID_LEN);
    *ret_user_key = 7;
    return 0;
}

int orchestrator_get(struct orchestrator *o, const struct principal *who, enum action action,
                     const struct execution_id *id, orchestrator_execution_fn fn, void *user,
                     struct problem *p)
{
    (void)o;
    assert_string_equal(who->email, RIG_USER);
    assert_int_equal(action, ACTION_READ);
    if (fail_sync(p))
        return rig.sync_error;
    struct pending_call *c = pend(user);
    c->execution = fn;
    c->id = *id;
    return 0;
}

static struct topic *find(const struct execution_id *id)
{
    for (size_t i = 0; i < rig.n_topics; i++) {
        if (str_eq(rig.topics[i].id.hex, id->hex))
            return &rig.topics[i];
    }
    return NULL;
}

static void answer_execution(const struct pending_call *c)
{
    struct execution row = {.id = c->id, .key = execution_id_key(&c->id)};
    struct topic *t = find(&c->id);
    struct problem p;
    int err = rig.answer_error ? rig.answer_error
              : !t             ? ERR_NOT_FOUND
              : t->forbidden   ? ERR_FORBIDDEN
                               : 0;

    if (err) {
        (void)problem_set(&p, err, "failed", "%s", err_name(err));
        c->execution(c->user, &p, NULL);
        return;
    }
    row.state = t->now;
    c->execution(c->user, NULL, &row);
}

static void answer_principal(const struct pending_call *c)
{
    struct principal who = {.user_key = 7, .role = ROLE_DEVELOPER, .email = RIG_USER};
    struct problem p;
    int err = rig.answer_error ? rig.answer_error : str_eq(c->key, RIG_KEY) ? 0 : ERR_BAD_KEY;

    if (err)
        (void)problem_set(&p, err, "failed", "%s", err_name(err));
    c->principal(c->user, err ? &p : NULL, err ? NULL : &who);
}

void rig_answer(void)
{
    while (rig.n_pending > 0) {
        struct pending_call c = rig.pending[0];
        rig.n_pending--;
        memmove(&rig.pending[0], &rig.pending[1], rig.n_pending * sizeof c);
        if (c.execution)
            answer_execution(&c);
        else
            answer_principal(&c);
    }
}

/* ---- hub.h ---- */

int hub_register_encoder(struct hub *h, hub_encode_fn fn, void *user, int *ret_kind)
{
    (void)h;
    if (rig.encoder_error)
        return rig.encoder_error;
    rig.encoder_users[rig.n_encoders] = user;
    rig.encoders[rig.n_encoders] = fn;
    *ret_kind = rig.n_encoders++;
    return 0;
}

int hub_frame(struct hub *h, const struct execution_id *id, struct chunk *c, int kind,
              uint32_t first_line, struct frame **ret)
{
    struct buf b CLEANUP_BUF = {.max = 32u << 20};
    struct frame *f;

    (void)h;
    if (rig.frame_error)
        return rig.frame_error;
    if (first_line == 0 && c->frames[kind]) {
        *ret = frame_ref(c->frames[kind]);
        return 0;
    }
    if (rig.encoders[kind](rig.encoder_users[kind], id, c, first_line, &b) != 0)
        return ERR_NOMEM;
    f = malloc(sizeof *f + b.len);
    if (!f)
        return ERR_NOMEM;
    f->refs = 1;
    f->lines = c->n_lines - first_line;
    f->published_us = clock_mono_us();
    f->len = b.len;
    memcpy(f->bytes, b.data, b.len);
    if (first_line == 0)
        c->frames[kind] = frame_ref(f);
    *ret = f;
    return 0;
}

int hub_topic_open(struct hub *h, const struct execution *row, struct topic **ret)
{
    (void)h;
    if (rig.open_error)
        return rig.open_error;
    *ret = find(&row->id);
    assert_non_null(*ret);
    (*ret)->refs++;
    return 0;
}

void topic_unref(struct topic *t)
{
    assert_true(t->refs > 0);
    t->refs--;
}
const struct exec_state *topic_state(const struct topic *t)
{
    return &t->now;
}
size_t topic_states(const struct topic *t, const struct exec_state **ret)
{
    *ret = t->states;
    return t->n_states;
}
uint64_t topic_last_seq(const struct topic *t)
{
    return t->last_seq;
}

static struct cursor *cursors[RIG_PENDING];
static size_t n_cursors;

int cursor_open(struct topic *t, uint64_t after, loop_fn wake, void *user, struct cursor **ret)
{
    struct cursor *c;

    if (rig.cursor_error)
        return rig.cursor_error;
    c = calloc(1, sizeof *c);
    if (!c)
        return ERR_NOMEM;
    *c = (struct cursor){.topic = t, .position = after, .wake = wake, .user = user};
    t->refs++;
    t->cursors++;
    assert_true(n_cursors < RIG_PENDING);
    cursors[n_cursors++] = c;
    *ret = c;
    return 0;
}

void cursor_close(struct cursor *c)
{
    for (size_t i = 0; i < n_cursors; i++) {
        if (cursors[i] == c)
            cursors[i] = cursors[--n_cursors];
    }
    c->topic->cursors--;
    topic_unref(c->topic);
    free(c);
}

int cursor_next(struct cursor *c, struct chunk **ret, uint32_t *ret_first_line,
                uint64_t *ret_gap_from, uint64_t *ret_gap_to)
{
    struct topic *t = c->topic;

    if (rig.next_error)
        return rig.next_error;
    if (c->position >= t->last_seq)
        return exec_status_is_terminal(t->now.status) ? ERR_END : ERR_AGAIN;
    if (c->position < t->gap_to) {
        *ret_gap_from = c->position + 1;
        *ret_gap_to = t->gap_to;
        c->position = t->gap_to;
        return ERR_GAP;
    }
    for (size_t i = 0; i < t->n_chunks; i++) {
        struct chunk *k = t->chunks[i];
        if (chunk_last_seq(k) <= c->position)
            continue;
        *ret_first_line = (uint32_t)(c->position + 1 - k->first_seq);
        *ret = chunk_ref(k);
        c->position = chunk_last_seq(k);
        return 0;
    }
    fail_msg("no chunk behind %llu", (unsigned long long)c->position);
    return ERR_INTERNAL;
}

uint64_t cursor_position(const struct cursor *c)
{
    return c->position;
}
bool cursor_is_caught_up(const struct cursor *c)
{
    return c->position >= c->topic->last_seq;
}

void rig_wake(void)
{
    for (size_t i = 0; i < n_cursors; i++)
        cursors[i]->wake(cursors[i]->user);
}

/* ---- topics and chunks ---- */

struct topic *rig_topic(unsigned n)
{
    struct topic *t = &rig.topics[rig.n_topics++];

    assert_true(rig.n_topics <= RIG_TOPICS);
    memset(t, 0, sizeof *t);
    execution_id_make(((int64_t)20000 << 32) | n, 0xabcdef0123456789u, &t->id);
    t->now = (struct exec_state){
        .status = EXEC_RUNNING, .version = 3, .exit_code = EXIT_CODE_NONE, .started_at_us = 1000};
    t->states[0] = t->now;
    t->n_states = 1;
    return t;
}

struct chunk *rig_chunk_of(uint64_t first_seq, const char *const *lines, const size_t *lens,
                           uint32_t n)
{
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL;

    assert_int_equal(chunk_builder_new(&b), 0);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(chunk_builder_add(b, 1700000000000000 + (int64_t)(first_seq + i) * 1000,
                                           STREAM_STDOUT, 0, lines[i],
                                           lens ? lens[i] : strlen(lines[i])),
                         0);
    assert_int_equal(chunk_builder_finish(b, 1, first_seq, &c), 0);
    chunk_builder_free(b);
    return c;
}

struct chunk *rig_chunk(uint64_t first_seq, uint32_t n)
{
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL;
    char text[40];

    assert_int_equal(chunk_builder_new(&b), 0);
    for (uint32_t i = 0; i < n; i++) {
        int len = snprintf(text, sizeof text, "line %llu", (unsigned long long)(first_seq + i));
        assert_int_equal(chunk_builder_add(b, 1700000000000000 + (int64_t)(first_seq + i) * 1000,
                                           i % 2 ? STREAM_STDERR : STREAM_STDOUT, 0, text,
                                           (size_t)len),
                         0);
    }
    assert_int_equal(chunk_builder_finish(b, 1, first_seq, &c), 0);
    chunk_builder_free(b);
    return c;
}

void rig_add_chunk(struct topic *t, struct chunk *c)
{
    assert_true(t->n_chunks < RIG_CHUNKS);
    assert_int_equal(c->first_seq, t->last_seq + 1);
    t->chunks[t->n_chunks++] = c;
    t->last_seq = chunk_last_seq(c);
    t->now.last_seq = t->last_seq;
}

void rig_add(struct topic *t, uint32_t n)
{
    rig_add_chunk(t, rig_chunk(t->last_seq + 1, n));
}

void rig_state(struct topic *t, enum exec_status s)
{
    t->now.status = s;
    t->now.version++;
    t->now.last_seq = t->last_seq;
    if (exec_status_is_terminal(s))
        t->now.exit_code = 0;
    assert_true(t->n_states < HUB_STATES_MAX);
    t->states[t->n_states++] = t->now;
}

/* ---- sockets ---- */

void rig_session_socket(struct lws *wsi)
{
    memset(wsi, 0, sizeof *wsi);
    wsi->path = "/api/v1/ws";
    wsi->host = "localhost:8080";
    wsi->protocol = STREAM_SUBPROTOCOL;
    wsi->key = RIG_KEY;
    buf_init(&wsi->sent, 64u << 20);
    assert_int_equal(buf_reserve(&wsi->sent, 16384), 0); /* so that no failed allocation is ours */
}

void rig_runvoy_socket(struct lws *wsi, const struct topic *t)
{
    static char arg[64];

    rig_session_socket(wsi);
    wsi->path = "/api/v1/stream";
    wsi->protocol = "http";
    wsi->key = NULL;
    (void)snprintf(arg, sizeof arg, "execution_id=%s", t->id.hex);
    wsi->args[0] = arg;
    wsi->args[1] = "token=good";
}

bool rig_open(struct lws *wsi)
{
    if (stream_filter_upgrade(rig.st, wsi) != 0)
        return false;
    if (stream_established(rig.st, wsi, RIG_CLIENT, &wsi->session) != 0) {
        rig_close(wsi);
        return false;
    }
    return true;
}

bool rig_turn(void)
{
    if (!rig.turn_due)
        return false;
    rig.turn_due = false;
    stream_turn(rig.st);
    return true;
}

void rig_run(struct lws *wsi)
{
    bool more = true;

    for (int i = 0; more && !wsi->closed; i++) {
        assert_true(i < 10000);
        more = wsi->asked && !wsi->partial;
        if (more) {
            wsi->asked = false;
            assert_int_equal(stream_writeable(wsi->session), 0);
        }
        more |= rig_turn();
    }
}

void rig_say(struct lws *wsi, const char *text)
{
    assert_int_equal(stream_received(wsi->session, text, strlen(text)), 0);
    rig_answer();
    rig_run(wsi);
}

void rig_close(struct lws *wsi)
{
    stream_closed(TAKE_PTR(wsi->session));
    wsi->asked = false;
    buf_done(&wsi->sent);
}

struct stream *rig_stream(const struct lws *wsi)
{
    return wsi->session;
}

size_t rig_parse_frame(const uint8_t *p, size_t len, const uint8_t **ret_payload, size_t *ret_n)
{
    size_t header = 2;
    uint64_t n;

    assert_true(len >= 2);
    assert_int_equal(p[1] & 0x80, 0);
    n = p[1];
    if (n >= 126) {
        size_t bytes = n == 126 ? 2 : 8;
        assert_true(len >= 2 + bytes);
        n = 0;
        for (size_t i = 0; i < bytes; i++)
            n = n << 8 | p[2 + i];
        header += bytes;
        assert_true(n > (bytes == 2 ? 125u : 65535u)); /* the shortest form */
    }
    assert_true(n <= len - header);
    *ret_payload = p + header;
    *ret_n = (size_t)n;
    return header + (size_t)n;
}

const char *rig_take(struct lws *wsi)
{
    const uint8_t *p = (const uint8_t *)wsi->sent.data, *payload;
    size_t n;

    buf_done(&taken);
    buf_init(&taken, 64u << 20);
    assert_int_equal(buf_append(&taken, "", 0), 0);
    while (wsi->parsed < wsi->sent.len) {
        const uint8_t *frame = p + wsi->parsed;
        wsi->parsed += rig_parse_frame(frame, wsi->sent.len - wsi->parsed, &payload, &n);
        if (frame[0] == 0x89) {
            assert_int_equal(n, 1); /* the pong to an empty one would not be seen */
            assert_int_equal(buf_append_str(&taken, "(ping)\n"), 0);
            continue;
        }
        assert_int_equal(frame[0], 0x81);
        assert_int_equal(str_utf8_valid_prefix((const char *)payload, n), n);
        assert_int_equal(buf_append(&taken, payload, n), 0);
        assert_int_equal(buf_append_char(&taken, '\n'), 0);
    }
    return taken.data ? taken.data : "";
}

int rig_setup(void **state)
{
    (void)state;
    memset(&rig, 0, sizeof rig);
    log_setup(LOG_ERROR, LOG_LOGFMT);
    rig.now_ms = 1000000;
    rig.options.max_connections = 100;
    rig.options.max_subscriptions = 3;
    rig.options.max_message_bytes = 1024;
    rig.options.auth_timeout_ms = 10000;
    rig.options.ping_interval_ms = 25000;
    rig.options.pong_timeout_ms = 10000;
    rig.options.reader_idle_timeout_ms = 300000;
    return streams_new((struct server *)(void *)&the_server, &rig.st);
}

int rig_teardown(void **state)
{
    (void)state;
    rig_answer();
    assert_int_equal(streams_count(rig.st), 0);
    streams_free(rig.st);
    assert_int_equal(rig.timers, 0);
    assert_int_equal(n_cursors, 0);
    for (size_t i = 0; i < rig.n_topics; i++) {
        assert_int_equal(rig.topics[i].refs, 0);
        for (size_t k = 0; k < rig.topics[i].n_chunks; k++) {
            assert_int_equal(rig.topics[i].chunks[k]->refs, 1);
            chunk_unref(rig.topics[i].chunks[k]);
        }
    }
    buf_done(&taken);
    return 0;
}
