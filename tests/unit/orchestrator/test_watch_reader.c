/* One reader's way, step by step: a watch made by hand, queries that are answered when told. */
#include "orchestrator/watch_internal.h"

#include "db/store_changes.h"
#include "db/store_executions.h"
#include "tests/unit/base/fail_alloc.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RING 8

static struct rig {
    struct watch watch;
    struct watch_change changes[RING], *ring[RING];
    unsigned begun, rested, wakes;
    int refused, encode_error;
    int row_bytes;
    struct query {
        store_changes_fn changes;
        store_executions_fn list;
        void *user;
        struct store_execution_filter filter;
        char since[64], created_by[64];
        size_t max;
    } queries[32];
    size_t n;
} rig;

/* ---- seams ---- */

void __wrap_watch_begin(struct watch *w);
void __wrap_watch_begin(struct watch *w)
{
    assert_ptr_equal(w, &rig.watch);
    rig.begun++;
}

void __wrap_watch_rest(struct watch *w);
void __wrap_watch_rest(struct watch *w)
{
    assert_ptr_equal(w, &rig.watch);
    rig.rested++;
}

static struct query *take(void *user, const char *created_by)
{
    assert_true(rig.n < 32);
    struct query *q = &rig.queries[rig.n++];
    *q = (struct query){.user = user};
    (void)snprintf(q->created_by, sizeof q->created_by, "%s", created_by ? created_by : "");
    return q;
}

int __wrap_store_changes_fetch(struct db_pool *p, const char *since, const char *created_by,
                               size_t max, store_changes_fn fn, void *user);
int __wrap_store_changes_fetch(struct db_pool *p UNUSED, const char *since, const char *created_by,
                               size_t max, store_changes_fn fn, void *user)
{
    if (rig.refused)
        return rig.refused;
    struct query *q = take(user, created_by);
    q->changes = fn;
    q->max = max;
    (void)snprintf(q->since, sizeof q->since, "%s", since);
    return 0;
}

int __wrap_store_execution_list(struct db_pool *p, const struct store_execution_filter *f,
                                store_executions_fn fn, void *user);
int __wrap_store_execution_list(struct db_pool *p UNUSED, const struct store_execution_filter *f,
                                store_executions_fn fn, void *user)
{
    if (rig.refused)
        return rig.refused;
    struct query *q = take(user, f->created_by);
    q->list = fn;
    q->filter = *f;
    return 0;
}

static int encode(void *user UNUSED, const struct execution *e, struct buf *out)
{
    if (rig.encode_error)
        return rig.encode_error;
    return buf_printf(out, "{%" PRId64 "%*s}", e->key, rig.row_bytes, "");
}

static void on_wake(void *user)
{
    unsigned *wakes = user;
    ++*wakes;
}

/* ---- the rig ---- */

static void wake_readers(void *user UNUSED)
{
}

static int setup(void **state UNUSED)
{
    memset(&rig, 0, sizeof rig);
    struct watch *w = &rig.watch;
    w->opts = (struct watch_opts)WATCH_DEFAULTS;
    w->opts.encode = encode;
    w->opts.changes_max = RING;
    w->ring = rig.ring;
    list_init(&w->readers);
    list_init(&w->asking);
    list_init(&w->queries);
    assert_int_equal(loop_new(&w->loop), 0);
    return loop_defer_new(w->loop, wake_readers, w, &w->wake);
}

static struct query pop(void)
{
    assert_true(rig.n > 0);
    struct query q = rig.queries[0];
    memmove(&rig.queries[0], &rig.queries[1], --rig.n * sizeof q);
    return q;
}

/* As the pool's end answers them. */
static void answer_rest(void)
{
    while (rig.n > 0) {
        struct query q = pop();
        if (q.changes)
            q.changes(q.user, ERR_CLOSED, NULL, false, NULL, 0);
        else
            q.list(q.user, ERR_CLOSED, NULL, 0);
    }
}

static int teardown(void **state UNUSED)
{
    (void)fail_alloc_off();
    assert_true(list_is_empty(&rig.watch.readers));
    answer_rest();
    loop_defer_free(rig.watch.wake);
    loop_free(rig.watch.loop);
    return 0;
}

static struct watch_reader *open_as(enum role role, const char *since)
{
    const struct principal who = {.role = role, .email = "own"};
    struct watch_reader *r = NULL;
    struct problem p;
    assert_int_equal(watch_open(&rig.watch, &who, since, on_wake, &rig.wakes, &r, &p), 0);
    return r;
}

/* n rows with keys first, first - 1, … */
static void answer(const struct query *q, int err, const char *place, bool is_known, int64_t first,
                   size_t n)
{
    static struct execution rows[WATCH_RESUME_ROWS];
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct execution){.key = first - (int64_t)i};
    if (q->list)
        q->list(q->user, err, rows, n);
    else
        q->changes(q->user, err, place, is_known, rows, n);
}

static void answer_list(int64_t first, size_t n)
{
    struct query q = pop();
    assert_non_null(q.list);
    answer(&q, 0, NULL, false, first, n);
}

static size_t rows_in(const struct watch_page *page)
{
    size_t n = 0;
    for (size_t i = 0; i < page->len; i++)
        n += page->rows[i] == '{';
    return n;
}

static struct watch_page expect_page(struct watch_reader *r, size_t rows)
{
    struct watch_page page;
    assert_int_equal(watch_next(r, &page), 0);
    assert_int_equal(rows_in(&page), rows);
    return page;
}

static void expect_nothing(struct watch_reader *r)
{
    struct watch_page page;
    assert_int_equal(watch_next(r, &page), ERR_AGAIN);
}

/* A reader that has read an empty snapshot and follows. */
static struct watch_reader *open_following(enum role role)
{
    static char place[] = "1/5:5:";
    rig.watch.place = place;
    struct watch_reader *r = open_as(role, NULL);
    expect_nothing(r);
    answer_list(0, 0);
    (void)expect_page(r, 0);
    answer_list(0, 0);
    assert_string_equal(expect_page(r, 0).place, "1/5:5:");
    return r;
}

static void add_change(const char *text, const char *created_by)
{
    static char texts[RING][64], owners[RING][16];
    struct watch *w = &rig.watch;
    size_t at = w->end % RING;
    if (w->end - w->first == RING)
        w->first++;
    if (text)
        (void)snprintf(texts[at], sizeof texts[at], "%s", text);
    (void)snprintf(owners[at], sizeof owners[at], "%s", created_by);
    rig.changes[at] = (struct watch_change){.text = text ? texts[at] : NULL,
                                            .len = text ? strlen(texts[at]) : 0,
                                            .created_by = owners[at]};
    rig.ring[at] = &rig.changes[at];
    w->end++;
}

/* ---- tests ---- */

static void test_watch_open__first_and_last__begin_and_rest(void **state UNUSED)
{
    struct watch_reader *a = open_as(ROLE_ADMIN, NULL), *b = open_as(ROLE_ADMIN, NULL);
    assert_true(rig.begun == 1 && rig.rested == 0);
    assert_true(a->is_woken && b->is_woken);
    expect_nothing(a); /* the watch's place is not known yet */
    assert_int_equal(rig.n, 0);
    watch_close(a);
    assert_int_equal(rig.rested, 0);
    watch_close(b);
    assert_true(rig.begun == 1 && rig.rested == 1);
    watch_close(NULL);
}

static void test_watch_open__bad_place__invalid(void **state UNUSED)
{
    static const char *const places[] = {"", "x", "1/2", "1/5:3:", "/3:5:", "1/3:5:4,", "1/3:5:x"};
    const struct principal who = {.role = ROLE_ADMIN};
    struct watch_reader *r = NULL;
    struct problem p;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        assert_int_equal(watch_open(&rig.watch, &who, places[i], on_wake, NULL, &r, &p),
                         ERR_INVALID);
        assert_non_null(strstr(p.details, "since"));
    }
    assert_int_equal(rig.begun, 0);
    watch_close(open_as(ROLE_ADMIN, "18446744073709551615/3:9:4,7"));
}

static void test_watch_next__snapshot__live_then_newest_then_place(void **state UNUSED)
{
    static char place[] = "1/5:5:";
    struct watch_reader *r = open_as(ROLE_ADMIN, NULL);
    rig.watch.place = place;
    rig.watch.opts.snapshot_max = 130;
    expect_nothing(r);
    assert_int_equal(rig.queries[0].filter.limit, WATCH_PAGE_ROWS);
    assert_int_equal(rig.queries[0].filter.before_key, 0);
    assert_string_equal(rig.queries[0].created_by, "");
    unsigned live = rig.queries[0].filter.status_mask;
    answer_list(500, WATCH_PAGE_ROWS);
    struct watch_page page = expect_page(r, WATCH_PAGE_ROWS);
    assert_true(page.is_snapshot && page.begins && page.more && !page.place);
    assert_true(strncmp(page.rows, "{500},{499}", 11) == 0);
    expect_nothing(r);
    assert_int_equal(rig.queries[0].filter.before_key, 401);
    answer_list(400, 1);
    page = expect_page(r, 1);
    assert_true(page.is_snapshot && !page.begins && page.more);
    assert_int_equal(rig.queries[0].filter.before_key, 0);
    assert_int_equal(rig.queries[0].filter.limit, WATCH_PAGE_ROWS);
    assert_int_equal(rig.queries[0].filter.status_mask & live, 0);
    answer_list(300, WATCH_PAGE_ROWS);
    assert_true(expect_page(r, WATCH_PAGE_ROWS).more);
    assert_int_equal(rig.queries[0].filter.limit, 30); /* what is left of the snapshot's most */
    answer_list(200, 30);
    assert_true(watch_has_more(r));
    page = expect_page(r, 30);
    assert_false(page.more);
    assert_string_equal(page.place, "1/5:5:");
    assert_false(watch_has_more(r));
    expect_nothing(r);
    assert_int_equal(rig.n, 0);
    watch_close(r);
}

static void test_watch_next__large_rows__pages_end_in_time(void **state UNUSED)
{
    static char place[] = "1/5:5:";
    struct watch_reader *r = open_as(ROLE_ADMIN, NULL);
    struct watch_page page;
    size_t rows = 0, pages = 0;
    rig.watch.place = place;
    rig.row_bytes = 5000;
    expect_nothing(r);
    answer_list(500, WATCH_PAGE_ROWS);
    for (; watch_next(r, &page) == 0; pages++) {
        assert_true(page.len < WATCH_PAGE_BYTES + 5100 && page.begins == (pages == 0));
        assert_true(page.rows[0] == '{' && page.rows[page.len - 1] == '}');
        rows += rows_in(&page);
    }
    assert_true(rows == WATCH_PAGE_ROWS && pages > 10);
    watch_close(r);
}

static void test_watch_next__own_only__asked_and_told_so(void **state UNUSED)
{
    struct watch_reader *r = open_following(ROLE_DEVELOPER);
    add_change("{other}", "other");
    add_change("{mine}", "own");
    add_change(NULL, "own"); /* a newer one follows */
    add_change("{also mine}", "own");
    assert_true(watch_has_more(r));
    struct watch_page page = expect_page(r, 2);
    assert_true(!page.is_snapshot && page.len == 18);
    assert_memory_equal(page.rows, "{mine},{also mine}", 18);
    assert_string_equal(page.place, "1/5:5:");
    expect_nothing(r);
    add_change("{other}", "other");
    expect_nothing(r);
    assert_false(watch_has_more(r));
    watch_close(r);

    r = open_as(ROLE_DEVELOPER, NULL);
    expect_nothing(r);
    assert_string_equal(rig.queries[0].created_by, "own");
    watch_close(r);
    answer_list(1, 1);
}

static void test_watch_next__fell_out_of_the_ring__snapshot_anew(void **state UNUSED)
{
    struct watch_reader *r = open_following(ROLE_ADMIN);
    for (int i = 0; i < RING; i++)
        add_change("{x}", "other");
    (void)expect_page(r, RING);
    for (int i = 0; i < RING + 1; i++)
        add_change("{x}", "other");
    expect_nothing(r);
    answer_list(9, 1);
    struct watch_page page = expect_page(r, 1);
    assert_true(page.is_snapshot && page.begins && page.more);
    answer_list(0, 0);
    assert_false(expect_page(r, 0).more);
    expect_nothing(r); /* what was in the ring is in the snapshot */
    watch_close(r);
}

static void test_watch_next__comes_back__told_the_rest_or_all(void **state UNUSED)
{
    static char here[] = "1/9:9:";
    static const struct {
        int err;
        bool is_known;
        size_t n;
        bool is_snapshot;
    } rows[] = {
        {0, true, 3, false}, {0, true, 0, false},      {0, true, WATCH_RESUME_ROWS, true},
        {0, false, 0, true}, {ERR_DB, false, 0, true},
    };
    rig.watch.place = here;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct watch_reader *r = open_as(ROLE_ADMIN, "1/5:5:");
        expect_nothing(r);
        struct query q = pop();
        assert_non_null(q.changes);
        assert_string_equal(q.since, "1/5:5:");
        assert_int_equal(q.max, WATCH_RESUME_ROWS);
        answer(&q, rows[i].err, rows[i].err ? NULL : "1/7:7:", rows[i].is_known, 900, rows[i].n);
        if (rows[i].is_snapshot) {
            expect_nothing(r);
            answer_list(9, 1);
            assert_true(expect_page(r, 1).begins);
        } else {
            struct watch_page page = expect_page(r, rows[i].n);
            assert_true(!page.is_snapshot && !page.begins && !page.more);
            assert_string_equal(page.place, "1/7:7:");
        }
        watch_close(r);
        answer_rest();
        readers_forget(&rig.watch);
    }
}

static void test_watch_next__comes_back_while_away__asks_again(void **state UNUSED)
{
    static char here[] = "1/9:9:";
    rig.watch.place = here;
    struct watch_reader *r = open_as(ROLE_ADMIN, "1/5:5:");
    for (int i = 0; i < 3; i++) {
        expect_nothing(r);
        struct query q = pop();
        assert_string_equal(q.since, "1/5:5:");
        answer(&q, ERR_DB_AWAY, NULL, false, 0, 0);
    }
    rig.refused = ERR_LIMIT;
    expect_nothing(r);
    assert_int_equal(rig.watch.n_asking, 0);
    rig.refused = 0;
    expect_nothing(r);
    struct query q = pop();
    answer(&q, 0, "1/7:7:", true, 5, 1);
    (void)expect_page(r, 1);
    watch_close(r);
}

static void test_watch_next__list_fails__begins_anew(void **state UNUSED)
{
    static const struct {
        int err, encode_error, row_bytes;
    } rows[] = {
        {ERR_DB_AWAY, 0, 0},
        {0, ERR_NOMEM, 0},
        {0, 0, WATCH_ROW_BYTES_MAX},
    };
    static char here[] = "1/9:9:";
    rig.watch.place = here;
    struct watch_reader *r = open_as(ROLE_ADMIN, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        expect_nothing(r);
        rig.encode_error = rows[i].encode_error;
        rig.row_bytes = rows[i].row_bytes;
        struct query q = pop();
        answer(&q, rows[i].err, NULL, false, 9, rows[i].err ? 0 : 2);
        assert_int_equal(r->phase, READER_NEW);
        assert_int_equal(rig.n, 0);
    }
    rig.encode_error = rig.row_bytes = 0;
    expect_nothing(r);
    answer_list(9, 2);
    assert_true(expect_page(r, 2).begins);
    watch_close(r);
    answer_list(0, 0);
}

static void test_watch_next__many_readers__few_queries_at_once(void **state UNUSED)
{
    static char here[] = "1/9:9:";
    struct watch_reader *readers[WATCH_ASKING_MAX + 4];
    rig.watch.place = here;
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        readers[i] = open_as(ROLE_ADMIN, NULL);
        expect_nothing(readers[i]);
    }
    assert_int_equal(rig.n, WATCH_ASKING_MAX);
    watch_close(readers[0]);                /* its query is under way */
    watch_close(readers[WATCH_ASKING_MAX]); /* waits for its turn */
    assert_int_equal(rig.n, WATCH_ASKING_MAX);
    for (size_t answered = 0; rig.n > 0; answered++) {
        assert_true(answered < ARRAY_SIZE(readers) && rig.n <= WATCH_ASKING_MAX);
        answer_list(9, 1);
    }
    for (size_t i = 1; i < ARRAY_SIZE(readers); i++) {
        if (i == WATCH_ASKING_MAX)
            continue;
        (void)expect_page(readers[i], 1);
        watch_close(readers[i]);
    }
    while (rig.n > 0) /* of those that left meanwhile */
        answer_list(0, 0);
    assert_int_equal(rig.watch.n_asking, 0);
}

static void test_readers_forget__queries_under_way__answer_nobody(void **state UNUSED)
{
    static char here[] = "1/9:9:";
    rig.watch.place = here;
    struct watch_reader *a = open_as(ROLE_ADMIN, NULL), *b = open_as(ROLE_ADMIN, "1/5:5:");
    expect_nothing(a);
    expect_nothing(b);
    watch_close(a);
    watch_close(b);
    readers_forget(&rig.watch);
    struct query list = pop(), changes = pop();
    memset(&rig.watch.asking, 0xff, sizeof rig.watch.asking); /* as if freed */
    answer(&list, 0, NULL, false, 9, 3);
    answer(&changes, 0, "1/7:7:", true, 9, 3);
    assert_int_equal(rig.n, 0);
}

/* All that a reader does; 0 or ERR_NOMEM, which may also mean that it asks again. */
static int read_once(void)
{
    static char here[] = "1/9:9:";
    const struct principal who = {.role = ROLE_ADMIN, .email = "own"};
    struct watch_reader *r = NULL;
    struct problem p;
    struct watch_page page;
    int rc = watch_open(&rig.watch, &who, "1/5:5:", on_wake, &rig.wakes, &r, &p);
    if (rc < 0)
        return rc;
    rig.watch.place = here;
    for (int i = 0; i < 50 && !(r->phase == READER_FOLLOWING && !watch_has_more(r)); i++) {
        rc = watch_next(r, &page);
        assert_true(rc == 0 || rc == ERR_AGAIN || rc == ERR_NOMEM);
        while (rig.n > 0) {
            struct query q = pop();
            answer(&q, 0, q.list ? NULL : "1/7:7:", !q.list, 9, 3);
        }
        if (i == 3)
            add_change("{x}", "own");
    }
    assert_int_equal(r->phase, READER_FOLLOWING); /* it got there in the end */
    watch_close(r);
    return 0;
}

static void test_watch_reader__no_memory_once__gets_there(void **state UNUSED)
{
    for (unsigned n = 1; fail_alloc_at(n); n++) {
        int rc = read_once();
        assert_true(rc == 0 || (rc == ERR_NOMEM && fail_alloc_off()));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_watch_open__first_and_last__begin_and_rest),
        TEST(test_watch_open__bad_place__invalid),
        TEST(test_watch_next__snapshot__live_then_newest_then_place),
        TEST(test_watch_next__large_rows__pages_end_in_time),
        TEST(test_watch_next__own_only__asked_and_told_so),
        TEST(test_watch_next__fell_out_of_the_ring__snapshot_anew),
        TEST(test_watch_next__comes_back__told_the_rest_or_all),
        TEST(test_watch_next__comes_back_while_away__asks_again),
        TEST(test_watch_next__list_fails__begins_anew),
        TEST(test_watch_next__many_readers__few_queries_at_once),
        TEST(test_readers_forget__queries_under_way__answer_nobody),
        TEST(test_watch_reader__no_memory_once__gets_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
