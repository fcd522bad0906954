/* Each allocation fails in turn: a person hears of it or nothing is noticed, and no execution stays
 * live for ever. */
#include "../base/fail_alloc.h"

#include "orchestrator/keys.h"
#include "orchestrator/queue.h"
#include "orchestrator/workspace.h"

#include "fake.h"

#include <stdio.h>
#include <string.h>

struct answer {
    int calls, err;
};

static void note(struct answer *a, const struct problem *p)
{
    a->calls++;
    a->err = p ? p->err : 0;
}

static void on_execution(void *user, const struct problem *p, const struct execution *e UNUSED)
{
    note(user, p);
}

static void on_run(void *user, const struct problem *p, const struct execution *e UNUSED,
                   bool is_replayed UNUSED)
{
    note(user, p);
}

static void on_rows(void *user, const struct problem *p, const struct execution *rows UNUSED,
                    size_t n UNUSED)
{
    note(user, p);
}

static void on_kill(void *user, const struct problem *p, const struct execution *e UNUSED,
                    bool stopped_now UNUSED)
{
    note(user, p);
}

static void on_principal(void *user, const struct problem *p, const struct principal *who UNUSED)
{
    note(user, p);
}

static void on_done(void *user, int err)
{
    struct answer *a = user;
    a->calls++;
    a->err = err;
}

/* Answers what waits until nothing is live and nothing in doubt. */
static void settle(struct world *w, const struct execution *row)
{
    const struct spool_exit x = {0};
    for (int i = 0; i < 40; i++) {
        struct feed *f = fake_feed(row->key);
        struct live *l = live_find(w->o, row->key);
        if (f && l && !exec_status_is_terminal(live_state(l)->status))
            f->cb.on_exit(f->user, &x);
        fake_pass(5000);
        f = fake_feed(row->key);
        if (f)
            fake_commit(f);
        if (fake_engine.user && l && l->is_starting)
            fake_engine.started(fake_engine.user, 0, NULL);
        fake_engine.liveness = RUNDIR_DEAD;
        if (fake_waiting(CALL_LIST) > 0)
            fake_answer_rows(CALL_LIST, 0, row, 1);
        if (fake_waiting(CALL_GET) > 0)
            fake_answer_execution(CALL_GET, 0, row);
        if (fake_waiting(CALL_SUBMIT) > 0)
            fake_answer_batch(CALL_SUBMIT, 0);
        if (fake_waiting(CALL_HEARTBEAT) > 0)
            fake_answer_batch(CALL_HEARTBEAT, 0);
    }
    assert_true(list_is_empty(&w->o->lives));
    assert_true(list_is_empty(&w->o->doubts));
}

static void test_memory__new_and_start(void **state)
{
    struct world *w = *state;
    const struct orchestrator_opts opts = fake_opts(w);
    unsigned n = 1;
    for (; fail_alloc_at(n); n++) {
        struct orchestrator *o = NULL;
        struct answer a = {0};
        int r = orchestrator_new(NULL, NULL, NULL, NULL, &fake_engine.base, &opts, &o);
        if (r == 0)
            r = orchestrator_start(o, on_done, &a);
        if (fail_alloc_off())
            assert_int_equal(r, ERR_NOMEM);
        orchestrator_free(o);
        if (fake_waiting(CALL_SERVER_KEY) > 0)
            fake_answer_batch(CALL_SERVER_KEY, ERR_CLOSED);
    }
    assert_true(n > 8);
}

static void test_memory__run__answered_and_ended(void **state)
{
    struct world *w = *state;
    const struct principal who = fake_who(ROLE_DEVELOPER, "dev@x");
    const struct env_var env[] = {{"A", "1"}, {"B", "2"}};
    const struct run_request r = {
        .command = "true", .env = env, .env_count = 2, .timeout_s = -1, .grace_s = -1};
    unsigned n = 1;
    for (; fail_alloc_at(n); n++) {
        struct execution row = fake_row(n, EXEC_STARTING);
        struct answer a = {0};
        struct problem p;
        fake_engine.liveness = RUNDIR_ALIVE;
        const struct caller by = fake_caller(&who);
        int err = orchestrator_run(w->o, &by, &r, on_run, &a, &p);
        if (err == 0) {
            fake_pass(0); /* the image */
            if (fake_waiting(CALL_CREATE) > 0) {
                struct fake_call c = fake_take(CALL_CREATE);
                execution_id_make(row.key, c.random, &row.id);
                c.fn.created(c.user, 0, &row, STORE_REFUSED_NOT);
            }
            assert_int_equal(a.calls, 1);
            assert_true(a.err == 0 || a.err == ERR_NOMEM);
        } else {
            assert_int_equal(err, ERR_NOMEM);
            assert_int_equal(p.err, ERR_NOMEM);
        }
        (void)fail_alloc_off();
        settle(w, &row);
    }
    assert_true(n > 20);
}

static void test_memory__adopt__starts_or_says_so(void **state)
{
    (void)state;
    unsigned n = 1;
    for (;; n++) {
        struct execution row = fake_row(1, EXEC_RUNNING);
        struct answer a = {0};
        void *s;
        assert_int_equal(fake_setup_unstarted(&s), 0);
        struct world *w = s;
        if (!fail_alloc_at(n)) {
            assert_int_equal(fake_teardown(&s), 0);
            break;
        }
        if (orchestrator_start(w->o, on_done, &a) == 0) {
            fake_answer_batch(CALL_SERVER_KEY, 0);
            fake_answer_batch(CALL_HEARTBEAT, 0);
            fake_answer_rows(CALL_ADOPT, 0, &row, 1);
            (void)fail_alloc_off();
            assert_int_equal(a.calls, 1);
            if (a.err == 0)
                settle(w, &row);
            else
                assert_int_equal(a.err, ERR_NOMEM);
        }
        (void)fail_alloc_off();
        assert_int_equal(fake_teardown(&s), 0);
    }
    assert_true(n > 5);
}

static void test_memory__kill__answered(void **state)
{
    struct world *w = *state;
    const struct principal who = fake_who(ROLE_ADMIN, "a@x");
    bool failed = true;
    for (unsigned n = 1; failed; n++) {
        struct execution row = fake_row(n, EXEC_RUNNING);
        struct answer a = {0};
        struct problem p;
        fake_engine.liveness = RUNDIR_ALIVE;
        struct live *l = fake_live(w, n, EXEC_RUNNING);
        fake_engine.started(fake_engine.user, 0, NULL);
        assert_true(fail_alloc_at(n));
        const struct caller by = fake_caller(&who);
        int err = orchestrator_kill(w->o, &by, &row.id, on_kill, &a, &p);
        if (err == 0) {
            fake_answer_execution(CALL_GET, 0, &row);
            if (fake_waiting(CALL_KILL_AUDIT) > 0)
                fake_answer_batch(CALL_KILL_AUDIT, 0);
            fake_commit(l->feed);
            assert_int_equal(a.calls, 1);
        } else {
            assert_int_equal(err, ERR_NOMEM);
        }
        failed = fail_alloc_off();
        settle(w, &row);
    }
}

static int get(struct world *w, struct answer *a, struct problem *p)
{
    const struct principal who = fake_who(ROLE_ADMIN, "a@x");
    const struct execution row = fake_row(1, EXEC_RUNNING);
    int r = orchestrator_get(w->o, &who, ACTION_READ, &row.id, on_execution, a, p);
    if (r == 0)
        fake_answer_execution(CALL_GET, 0, &row);
    return r;
}

static int list(struct world *w, struct answer *a, struct problem *p)
{
    const struct principal who = fake_who(ROLE_DEVELOPER, "a@x");
    const struct execution_filter f = {.limit = 1, .created_by = "other@x"};
    int r = orchestrator_list(w->o, &who, &f, on_rows, a, p);
    if (r == 0)
        fake_pass(0);
    return r;
}

static int authenticate(struct world *w, struct answer *a, struct problem *p)
{
    const struct principal who = fake_who(ROLE_ADMIN, "a@x");
    char key[API_KEY_LEN + 1];
    api_key_make(key);
    int r = orchestrator_authenticate(w->o, key, on_principal, a, p);
    if (r == 0)
        fake_answer_principal(CALL_KEY, 0, &who);
    return r;
}

static int bootstrap(struct world *w, struct answer *a, struct problem *p UNUSED)
{
    int r = orchestrator_bootstrap_dev(w->o, "a@x", on_done, a);
    if (r == 0)
        fake_answer_batch(CALL_BOOTSTRAP, 0);
    return r;
}

static void test_memory__questions__no_memory_or_an_answer(void **state)
{
    struct world *w = *state;
    sweeper_free(TAKE_PTR(w->o->sweeper)); /* allocate beside us */
    queue_free(TAKE_PTR(w->o->queue));
    int (*const questions[])(struct world *, struct answer *,
                             struct problem *) = {get, list, authenticate, bootstrap};
    for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
        unsigned n = 1;
        for (; fail_alloc_at(n); n++) {
            struct answer a = {0};
            struct problem p;
            int r = questions[i](w, &a, &p);
            if (fail_alloc_off())
                assert_int_equal(r, ERR_NOMEM);
            assert_int_equal(a.calls, r == 0);
        }
        assert_true(n > 1);
    }
}

/* One look that finds the row, as far as the memory goes; true when it was taken. */
static bool take(struct world *w, const struct execution *row)
{
    const struct store_stray stray = {
        .owner = "gw2",
        .home = {.gateway_id = "gw2",
                 .host = w->o->host,
                 .state_dir = w->dir,
                 .engine = fake_engine.base.ops->name},
    };
    const struct store_launch launch = {.row = *row};
    fake_hold_work(true);
    fake_answer_strays(0, &stray, 1);
    fake_hold_work(false);
    if (fake_held_work() > 0)
        fake_do_work(0);
    if (fake_waiting(CALL_TAKE) == 0)
        return false;
    fake_answer_launch(CALL_TAKE, 0, &launch);
    return true;
}

static void test_memory__take_over__gone_on_with_or_looked_for_again(void **state)
{
    struct world *w = *state;
    char path[96];
    (void)snprintf(path, sizeof path, "%s/gateway.id", w->dir);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs("gw2\n", f) >= 0);
    assert_int_equal(fclose(f), 0);
    w->o->booted_us = 0;
    unsigned n = 1;
    for (bool failed = true; failed; n++) {
        const struct execution row = fake_row(n, EXEC_STARTING);
        fake_engine.liveness = RUNDIR_ALIVE;
        while (fake_waiting(CALL_STRAYS) > 0)
            fake_answer_strays(0, NULL, 0);
        fake_pass(5000);
        fake_answer_batch(CALL_HEARTBEAT, 0);
        assert_true(fail_alloc_at(n));
        bool is_taken = take(w, &row);
        failed = fail_alloc_off();
        if (is_taken && !live_find(w->o, row.key)) {
            fake_pass(5000);
            fake_answer_batch(CALL_HEARTBEAT, 0);
            struct fake_call c = fake_take(CALL_STRAYS);
            assert_true(c.with_own);
            c.fn.strays(c.user, 0, NULL, 0);
        }
        settle(w, &row);
    }
    assert_true(n > 8);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_memory__new_and_start),
        TEST(test_memory__run__answered_and_ended),
        cmocka_unit_test(test_memory__adopt__starts_or_says_so),
        TEST(test_memory__kill__answered),
        TEST(test_memory__questions__no_memory_or_an_answer),
        TEST(test_memory__take_over__gone_on_with_or_looked_for_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
