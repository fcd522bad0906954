/* The live list between a fake database and readers that merge by version, as clients do. */
#include "orchestrator/watch.h"

#include "db/store_changes.h"
#include "db/store_executions.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define EXECUTIONS 400

/* ---- the database: versions of executions, a place is "1/N:N:" ---- */

static struct {
    int64_t versions[EXECUTIONS + 1], changed_at[EXECUTIONS + 1]; /* 0 = not there */
    bool live[EXECUTIONS + 1];
    int64_t now;
    int err;
    struct query {
        store_changes_fn changes;
        store_executions_fn list;
        void *user;
        int64_t since; /* -1 = only the place */
        struct store_execution_filter filter;
        bool only_own;
        size_t max;
    } queries[64];
    size_t n;
    unsigned asked;
} db;

static bool is_owns(int64_t key)
{
    return key % 2 == 0;
}

static struct query *take(void *user)
{
    assert_true(db.n < 64);
    db.asked++;
    db.queries[db.n] = (struct query){.user = user};
    return &db.queries[db.n++];
}

int __wrap_store_changes_fetch(struct db_pool *p, const char *since, const char *created_by,
                               size_t max, store_changes_fn fn, void *user);
int __wrap_store_changes_fetch(struct db_pool *p, const char *since, const char *created_by,
                               size_t max, store_changes_fn fn, void *user)
{
    (void)p;
    struct query *q = take(user);
    q->changes = fn;
    q->since = since ? strtoll(since + 2, NULL, 10) : -1;
    q->only_own = created_by != NULL;
    q->max = max;
    return 0;
}

int __wrap_store_execution_list(struct db_pool *p, const struct store_execution_filter *f,
                                store_executions_fn fn, void *user);
int __wrap_store_execution_list(struct db_pool *p, const struct store_execution_filter *f,
                                store_executions_fn fn, void *user)
{
    (void)p;
    struct query *q = take(user);
    q->list = fn;
    q->filter = *f;
    q->only_own = f->created_by != NULL;
    return 0;
}

static int64_t now_ms = 1000;

int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
    return now_ms;
}

static struct execution row(int64_t key)
{
    static char texts[2][8] = {"own", "other"};
    struct execution e = {.key = key, .created_by = texts[is_owns(key) ? 0 : 1]};
    e.state.version = db.versions[key];
    return e;
}

static void change(int64_t key, bool live)
{
    db.versions[key]++;
    db.live[key] = live;
    db.changed_at[key] = ++db.now;
}

static void answer_list(const struct query *q)
{
    struct execution rows[EXECUTIONS];
    size_t n = 0;
    bool wants_live = (q->filter.status_mask & 1u << EXEC_RUNNING) != 0;
    for (int64_t key = EXECUTIONS; key > 0 && n < q->filter.limit; key--) {
        if (db.versions[key] > 0 && db.live[key] == wants_live && (!q->only_own || is_owns(key)) &&
            (q->filter.before_key == 0 || key < q->filter.before_key))
            rows[n++] = row(key);
    }
    q->list(q->user, db.err, rows, n);
}

static void answer_changes(const struct query *q)
{
    struct execution rows[EXECUTIONS];
    char place[64];
    size_t n = 0;
    bool is_known = q->since >= 0 && q->since <= db.now + 1;
    for (int64_t key = 1; is_known && key <= EXECUTIONS && n < q->max; key++) {
        if (db.changed_at[key] >= q->since && db.versions[key] > 0 &&
            (!q->only_own || is_owns(key)))
            rows[n++] = row(key);
    }
    (void)snprintf(place, sizeof place, "1/%" PRId64 ":%" PRId64 ":", db.now + 1, db.now + 1);
    q->changes(q->user, db.err, db.err ? NULL : place, is_known, rows, n);
}

static void answer_all(void)
{
    for (size_t n = db.n; n > 0; n--) {
        struct query q = db.queries[0];
        memmove(&db.queries[0], &db.queries[1], --db.n * sizeof q);
        if (q.list)
            answer_list(&q);
        else
            answer_changes(&q);
    }
}

/* ---- readers ---- */

static struct loop *loop;
static struct watch *watch;

struct client {
    struct watch_reader *reader;
    int64_t versions[EXECUTIONS + 1];
    char place[WATCH_PLACE_MAX + 1];
    unsigned wakes, snapshots, rows;
    bool in_snapshot;
};

static void on_wake(void *user)
{
    struct client *c = user;
    c->wakes++;
}

static int encode(void *user UNUSED, const struct execution *e, struct buf *out)
{
    /* So long that a page holds about thirty. */
    return buf_printf(out, "{%" PRId64 ":%" PRId64 " %0*d}", e->key, e->state.version, 1000, 0);
}

static void take_rows(struct client *c, const struct watch_page *page)
{
    const char *at = page->rows, *end = at + page->len;
    assert_true(page->len <= 64u << 10);
    while (at < end) {
        char *rest;
        assert_int_equal(*at, '{');
        int64_t key = strtoll(at + 1, &rest, 10), version = strtoll(rest + 1, &rest, 10);
        if (version > c->versions[key])
            c->versions[key] = version;
        c->rows++;
        at = strchr(rest, '}') + 1;
        assert_true(at == end || *at == ',');
        at += at < end;
    }
}

/* Reads what there is. */
static void read_all(struct client *c)
{
    struct watch_page page;
    while (watch_next(c->reader, &page) == 0) {
        assert_int_equal(page.begins, page.is_snapshot && !c->in_snapshot);
        if (page.begins) {
            memset(c->versions, 0, sizeof c->versions);
            c->snapshots++;
        }
        c->in_snapshot = page.is_snapshot && page.more;
        take_rows(c, &page);
        if (page.place)
            (void)snprintf(c->place, sizeof c->place, "%s", page.place);
    }
}

static void open_as(struct client *c, enum role role, const char *since)
{
    struct principal who = {.role = role, .email = "own"};
    struct problem p;
    assert_int_equal(watch_open(watch, &who, since, on_wake, c, &c->reader, &p), 0);
}

/* A second passes: polls, answers, reading. */
static void settle(struct client *clients, size_t n)
{
    for (int i = 0; i < 40; i++) {
        now_ms += 100;
        watch_hint(watch);
        assert_int_equal(loop_turn(loop, 0), 0);
        answer_all();
        for (size_t k = 0; k < n; k++)
            read_all(&clients[k]);
    }
}

static void assert_knows(const struct client *c, bool only_own)
{
    for (int64_t key = 1; key <= EXECUTIONS; key++) {
        if (!only_own || is_owns(key))
            assert_int_equal(c->versions[key], db.versions[key]);
        else
            assert_int_equal(c->versions[key], 0);
    }
}

static int setup_with(size_t changes_max, size_t snapshot_max)
{
    struct watch_opts opts = WATCH_DEFAULTS;
    memset(&db, 0, sizeof db);
    opts.encode = encode;
    opts.changes_max = changes_max;
    opts.snapshot_max = snapshot_max;
    assert_int_equal(loop_new(&loop), 0);
    return watch_new(loop, NULL, &opts, &watch);
}

static int setup(void **state UNUSED)
{
    return setup_with(4096, 1000);
}

static int setup_small(void **state UNUSED)
{
    return setup_with(16, 1000);
}

static int teardown(void **state UNUSED)
{
    watch_free(watch);
    answer_all();
    loop_free(loop);
    return 0;
}

static void fill(int64_t n)
{
    for (int64_t key = 1; key <= n; key++)
        change(key, key % 10 == 0);
}

/* ---- tests ---- */

static void test_watch__snapshot_then_changes__by_role(void **state UNUSED)
{
    static struct client c[2];
    memset(c, 0, sizeof c);
    fill(250);
    open_as(&c[0], ROLE_ADMIN, NULL);
    open_as(&c[1], ROLE_DEVELOPER, NULL);
    settle(c, 2);
    assert_knows(&c[0], false);
    assert_knows(&c[1], true);
    assert_int_equal(c[0].rows, 250);
    change(7, false);
    change(300, true);
    settle(c, 2);
    assert_knows(&c[0], false);
    assert_knows(&c[1], true);
    assert_true(c[0].snapshots == 1 && c[1].snapshots == 1 && c[0].rows == 252);
    watch_close(c[0].reader);
    watch_close(c[1].reader);
    unsigned asked = db.asked;
    watch_hint(watch);
    assert_int_equal(db.asked, asked); /* nobody reads, nobody asks */
}

static void test_watch__changes_meanwhile__none_missed(void **state UNUSED)
{
    static struct client c;
    memset(&c, 0, sizeof c);
    fill(350);
    open_as(&c, ROLE_VIEWER, NULL);
    for (int i = 0; i < 60; i++) { /* while the snapshot is read */
        now_ms += 7;
        watch_hint(watch);
        assert_int_equal(loop_turn(loop, 0), 0);
        answer_all();
        change(1 + i * 37 % 400, i % 2 == 0);
        if (i % 3 == 0)
            read_all(&c);
    }
    settle(&c, 1);
    assert_knows(&c, false);
    assert_int_equal(c.snapshots, 1);
    watch_close(c.reader);
}

static void test_watch__comes_back__told_the_rest(void **state UNUSED)
{
    static struct client c, other;
    memset(&c, 0, sizeof c);
    memset(&other, 0, sizeof other);
    fill(100);
    open_as(&other, ROLE_ADMIN, NULL);
    open_as(&c, ROLE_ADMIN, NULL);
    settle(&c, 1);
    for (int round = 0; round < 10; round++) {
        watch_close(c.reader);
        for (int i = 0; i < 5; i++)
            change(1 + round * 31 + i, false);
        c.rows = 0;
        open_as(&c, ROLE_ADMIN, c.place);
        settle(&c, 1);
        assert_knows(&c, false);
        assert_true(c.snapshots == 1 && c.rows <= 10);
    }
    watch_close(c.reader);
    open_as(&c, ROLE_ADMIN, "1/999999:999999:"); /* of the future */
    settle(&c, 1);
    assert_int_equal(c.snapshots, 2);
    assert_knows(&c, false);
    watch_close(c.reader);
    watch_close(other.reader);
}

static void test_watch__too_slow__snapshot_anew_and_bounded(void **state UNUSED)
{
    static struct client c;
    memset(&c, 0, sizeof c);
    fill(50);
    open_as(&c, ROLE_ADMIN, NULL);
    settle(&c, 1);
    for (int i = 0; i < 10; i++) { /* not read meanwhile: 100 changes, the ring holds 16 */
        for (int k = 0; k < 10; k++)
            change(1 + i * 10 + k, false);
        settle(&c, 0);
    }
    settle(&c, 1);
    assert_int_equal(c.snapshots, 2);
    assert_knows(&c, false);
    for (int64_t key = 1; key < 40; key++) /* more at once than the ring holds */
        change(key, false);
    settle(&c, 1);
    assert_knows(&c, false);
    watch_close(c.reader);
}

static void test_watch__same_execution__latest_only(void **state UNUSED)
{
    static struct client c;
    memset(&c, 0, sizeof c);
    open_as(&c, ROLE_ADMIN, NULL);
    settle(&c, 1);
    for (int i = 0; i < 8; i++) {
        change(3, false);
        settle(&c, 0);
    }
    settle(&c, 1);
    assert_int_equal(c.rows, 1);
    assert_knows(&c, false);
    watch_close(c.reader);
}

static void test_watch__database_away__goes_on(void **state UNUSED)
{
    static struct client c;
    memset(&c, 0, sizeof c);
    fill(20);
    db.err = ERR_DB_AWAY;
    open_as(&c, ROLE_ADMIN, NULL);
    settle(&c, 1);
    assert_int_equal(c.rows, 0);
    db.err = 0;
    settle(&c, 1);
    assert_knows(&c, false);
    db.err = ERR_DB_AWAY;
    change(5, false);
    settle(&c, 1);
    watch_close(c.reader);
    open_as(&c, ROLE_ADMIN, c.place);
    settle(&c, 1);
    db.err = 0;
    settle(&c, 1);
    assert_knows(&c, false);
    watch_close(c.reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_watch__snapshot_then_changes__by_role, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_watch__changes_meanwhile__none_missed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_watch__comes_back__told_the_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watch__too_slow__snapshot_anew_and_bounded,
                                        setup_small, teardown),
        cmocka_unit_test_setup_teardown(test_watch__same_execution__latest_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_watch__database_away__goes_on, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
