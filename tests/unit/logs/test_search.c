/* Searches between a fake database and the real thread pool: order, bounds, cancelling, failures.
 */
#include "logs/search.h"

#include "db/store_logs.h"
#include "logs/chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES 1000u
#define PER_CHUNK 10u

/* ---- the database ---- */

static struct {
    int err, refused;    /* of the next queries */
    bool corrupt, holds; /* holds: queries wait */
    struct query {
        store_chunks_fn fn;
        void *user;
        uint64_t edge;
        size_t max;
        bool backward;
    } queries[16];
    size_t n;
} db;

static int take_query(uint64_t edge, size_t max, bool backward, store_chunks_fn fn, void *user)
{
    if (db.refused)
        return db.refused;
    assert_true(db.n < 16);
    db.queries[db.n++] = (struct query){fn, user, edge, max, backward};
    return 0;
}

int __wrap_store_chunks_fetch(struct db_pool *p, int64_t key, uint64_t after, size_t max,
                              store_chunks_fn fn, void *user);
int __wrap_store_chunks_fetch(struct db_pool *p, int64_t key, uint64_t after, size_t max,
                              store_chunks_fn fn, void *user)
{
    (void)p;
    assert_int_equal(key, 7);
    return take_query(after, max, false, fn, user);
}

int __wrap_store_chunks_fetch_before(struct db_pool *p, int64_t key, uint64_t before, size_t max,
                                     store_chunks_fn fn, void *user);
int __wrap_store_chunks_fetch_before(struct db_pool *p, int64_t key, uint64_t before, size_t max,
                                     store_chunks_fn fn, void *user)
{
    (void)p;
    assert_int_equal(key, 7);
    return take_query(before, max, true, fn, user);
}

static void encode(uint64_t first, struct buf *out)
{
    struct chunk_builder *b = NULL;
    struct chunk *c = NULL;
    assert_int_equal(chunk_builder_new(&b), 0);
    for (uint64_t seq = first; seq < first + PER_CHUNK; seq++) {
        char text[32];
        int n = snprintf(text, sizeof text, "line %d", (int)seq);
        assert_int_equal(chunk_builder_add(b, 1, STREAM_STDOUT, 0, text, (size_t)n), 0);
    }
    assert_int_equal(chunk_builder_finish(b, 7, first, &c), 0);
    assert_int_equal(chunk_encode(c, out), 0);
    chunk_unref(c);
    chunk_builder_free(b);
}

static void answer(const struct query *q)
{
    struct store_chunk rows[64] = {{0}};
    struct buf bytes[64];
    size_t n = 0;
    uint64_t at = q->backward ? (q->edge > LINES ? LINES : q->edge - 1) : q->edge + 1;
    while (!db.err && n < q->max && at >= 1 && at <= LINES) {
        uint64_t first = (at - 1) / PER_CHUNK * PER_CHUNK + 1;
        bytes[n] = (struct buf){.max = CHUNK_ENCODED_MAX};
        encode(first, &bytes[n]);
        if (db.corrupt)
            bytes[n].data[0] = 'x';
        rows[n] = (struct store_chunk){.execution_key = 7,
                                       .first_seq = first,
                                       .last_seq = first + PER_CHUNK - 1,
                                       .raw_bytes = 1,
                                       .data = bytes[n].data,
                                       .data_len = bytes[n].len};
        n++;
        at = q->backward ? first - 1 : first + PER_CHUNK;
    }
    q->fn(q->user, db.err, rows, n);
    for (size_t i = 0; i < n; i++)
        buf_done(&bytes[i]);
}

static void answer_all(void)
{
    for (size_t n = db.n, i = 0; i < n; i++) {
        struct query q = db.queries[0];
        memmove(&db.queries[0], &db.queries[1], --db.n * sizeof q);
        answer(&q);
    }
}

/* ---- the rig ---- */

static struct loop *loop;
static struct searcher *searcher;

struct told {
    unsigned calls;
    struct problem problem;
    struct search_page page; /* without its lines */
    uint64_t first, last;
};

static void on_found(void *user, const struct problem *p, const struct search_page *page)
{
    struct told *t = user;
    t->calls++;
    t->problem = p ? *p : (struct problem){0};
    if (!page)
        return;
    t->page = *page;
    t->first = page->n > 0 ? page->lines[0].first_seq : 0;
    t->last = page->n > 0 ? page->lines[page->n - 1].first_seq : 0;
}

static void turn(void)
{
    assert_int_equal(loop_turn(loop, 10), 0);
    if (!db.holds)
        answer_all();
}

static void await(const struct told *t)
{
    for (int i = 0; i < 3000 && t->calls == 0; i++)
        turn();
    assert_int_equal(t->calls, 1);
}

static int setup_with(size_t running, size_t waiting, int64_t time_ms)
{
    const struct searcher_opts opts = {
        .running_max = running, .waiting_max = waiting, .time_ms = time_ms};
    memset(&db, 0, sizeof db);
    assert_int_equal(loop_new(&loop), 0);
    return searcher_new(loop, NULL, &opts, &searcher);
}

static int setup(void **state UNUSED)
{
    return setup_with(2, 2, 10000);
}

static int teardown(void **state UNUSED)
{
    searcher_free(searcher);
    answer_all();
    loop_free(loop);
    return 0;
}

static struct search_request request(const char *text)
{
    return (struct search_request){
        .execution_key = 7, .last_seq = LINES, .ended = true, .text = text, .limit = 100};
}

static struct search *start(const struct search_request *r, struct told *t)
{
    struct search *g = NULL;
    memset(t, 0, sizeof *t);
    assert_int_equal(search_start(searcher, r, on_found, t, &g), 0);
    return g;
}

/* ---- tests ---- */

static void test_search__both_directions__pages(void **state UNUSED)
{
    struct told t;
    struct search_request r = request("line 9");
    (void)start(&r, &t);
    await(&t);
    assert_int_equal(t.problem.err, 0);
    assert_int_equal(t.page.n, 100);
    assert_true(t.first == 9 && t.last == 988);
    assert_true(t.page.more && t.page.searched_to == 988);
    r.from = t.page.position;
    (void)start(&r, &t);
    await(&t);
    assert_int_equal(t.page.n, 11);
    assert_true(!t.page.more && t.page.searched_to == LINES);

    r = request("line 9\\d*$");
    r.is_regex = r.backward = true;
    for (size_t k = 0; k < SEARCH_STREAMS; k++)
        r.from.done[k] = INT64_MAX;
    (void)start(&r, &t);
    await(&t);
    assert_true(t.page.n == 100 && t.first == 999 && t.last == 900 && t.page.more);
    r.from = t.page.position;
    r.count_only = true;
    (void)start(&r, &t);
    await(&t);
    assert_true(t.page.n == 0 && t.page.n_lines == 11 && t.page.matches == 11 && !t.page.more);
}

static void test_search__retention_and_growth__what_there_is(void **state UNUSED)
{
    struct told t;
    struct search_request r = request("line");
    r.last_seq = LINES + 500; /* of which the last are not there */
    r.count_only = true;
    (void)start(&r, &t);
    await(&t);
    assert_true(t.page.n_lines == LINES && !t.page.more);
    r.last_seq = 0;
    (void)start(&r, &t);
    await(&t);
    assert_true(t.page.n_lines == 0 && !t.page.more);
}

static void test_search__failures__told(void **state UNUSED)
{
    struct told t;
    struct search_request r = request("(");
    r.is_regex = true;
    (void)start(&r, &t);
    await(&t);
    assert_int_equal(t.problem.err, ERR_INVALID);
    assert_non_null(strstr(t.problem.details, "at character"));

    r = request("x");
    db.err = ERR_DB_AWAY;
    (void)start(&r, &t);
    await(&t);
    assert_int_equal(t.problem.err, ERR_DB_AWAY);
    db.err = 0;
    db.refused = ERR_LIMIT;
    (void)start(&r, &t);
    await(&t);
    assert_int_equal(t.problem.err, ERR_DB_AWAY);
    db.refused = 0;
    db.corrupt = true;
    (void)start(&r, &t);
    await(&t);
    assert_int_equal(t.problem.err, ERR_INTERNAL);
    assert_non_null(strstr(t.problem.details, "seq 1 "));
}

static void test_search__too_many__refused_then_served(void **state UNUSED)
{
    struct told t[5];
    struct search *g = NULL;
    struct search_request r = request("line 500");
    db.holds = true;
    for (int i = 0; i < 2; i++)
        (void)start(&r, &t[i]);
    for (int i = 0; i < 500 && db.n < 2; i++)
        turn();
    for (int i = 2; i < 4; i++)
        (void)start(&r, &t[i]);
    assert_int_equal(search_start(searcher, &r, on_found, &t[4], &g), ERR_LIMIT);
    for (int i = 0; i < 5; i++)
        turn();
    assert_int_equal(db.n, 2); /* those that wait ask nothing */
    db.holds = false;
    for (int i = 0; i < 4; i++)
        await(&t[i]);
}

static void test_search_cancel__anywhere__never_told(void **state UNUSED)
{
    struct search_request r = request("line (.+)+5$");
    r.is_regex = r.count_only = true;
    for (int turns = 0; turns < 12; turns++) {
        struct told t[3];
        struct search *g[3];
        db.holds = turns % 3 == 0;
        for (int i = 0; i < 3; i++)
            g[i] = start(&r, &t[i]);
        for (int i = 0; i < turns && t[0].calls + t[1].calls + t[2].calls == 0; i++)
            turn();
        for (int i = 0; i < 3; i++) {
            if (t[i].calls == 0)
                search_cancel(g[i]);
        }
        db.holds = false;
        unsigned calls = t[0].calls + t[1].calls + t[2].calls;
        for (int i = 0; i < 20; i++)
            turn();
        assert_int_equal(t[0].calls + t[1].calls + t[2].calls, calls);
    }
}

static void test_searcher_free__under_way__nobody_told(void **state UNUSED)
{
    struct told t[4];
    struct search_request r = request("line");
    for (int i = 0; i < 4; i++)
        (void)start(&r, &t[i]);
    turn();
    searcher_free(searcher);
    searcher = NULL;
    for (int i = 0; i < 20; i++)
        turn();
    assert_true(t[0].calls + t[1].calls + t[2].calls + t[3].calls <= 4);
}

static int setup_short(void **state UNUSED)
{
    return setup_with(1, 1, 0);
}

static void test_search__time_is_up__page_ends_and_all_is_found(void **state UNUSED)
{
    struct told t;
    uint64_t found = 0;
    unsigned pages = 0;
    struct search_request r = request("line");
    r.count_only = true;
    do {
        (void)start(&r, &t);
        await(&t);
        found += t.page.n_lines;
        r.from = t.page.position;
        assert_true(++pages <= LINES);
    } while (t.page.more);
    assert_int_equal(found, LINES);
    assert_true(pages > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_search__both_directions__pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search__retention_and_growth__what_there_is, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_search__failures__told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_search__too_many__refused_then_served, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_search_cancel__anywhere__never_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_searcher_free__under_way__nobody_told, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_search__time_is_up__page_ends_and_all_is_found,
                                        setup_short, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
