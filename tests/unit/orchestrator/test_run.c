/* From a request to a row: order of the steps, what each refuses, keys, limits, the end in between.
 */
#include "fake.h"

#include "orchestrator/secrets.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- secrets: values as the test says ---- */

static struct {
    orchestrator_resolved_fn fn;
    void *user;
    size_t n;
    int err; /* of the call itself */
} asked;

int __wrap_orchestrator_secrets_resolve(struct orchestrator *o, const struct caller *by,
                                        const char *const *names, size_t n,
                                        orchestrator_resolved_fn fn, void *user, struct problem *p);
int __wrap_orchestrator_secrets_resolve(struct orchestrator *o UNUSED, const struct caller *by,
                                        const char *const *names, size_t n,
                                        orchestrator_resolved_fn fn, void *user, struct problem *p)
{
    assert_non_null(by->who);
    for (size_t i = 0; i < n; i++)
        assert_non_null(names[i]);
    if (asked.err < 0)
        return problem_set(p, asked.err, "failed to run command", "no");
    asked.fn = fn;
    asked.user = user;
    asked.n = n;
    return 0;
}

struct answer {
    int calls, err;
    struct problem p;
    struct exec_state state;
    bool is_replayed;
};

static void answered(void *user, const struct problem *p, const struct execution *e,
                     bool is_replayed)
{
    struct answer *a = user;
    a->calls++;
    a->err = p ? p->err : 0;
    a->is_replayed = is_replayed;
    assert_true(!p == !!e);
    if (p)
        a->p = *p;
    else
        a->state = e->state;
}

static struct run_request request(void)
{
    return (struct run_request){.command = "echo hi", .timeout_s = 5, .grace_s = 2};
}

static int ask(struct world *w, enum role role, const struct run_request *r, struct answer *a,
               struct problem *p)
{
    const struct principal who = fake_who(role, "dev@x");
    const struct caller by = fake_caller(&who);
    memset(&asked, 0, sizeof asked);
    return orchestrator_run(w->o, &by, r, answered, a, p);
}

static int run(struct world *w, enum role role, struct answer *a, struct problem *p)
{
    const struct run_request r = request();
    int err = ask(w, role, &r, a, p);
    fake_pass(0); /* the image */
    return err;
}

static void give_row(const struct execution *row)
{
    fake_answer_execution(CALL_CREATE, 0, row);
}

static void test_run__accepted__row_then_answer_then_start(void **state)
{
    struct world *w = *state;
    struct env_var env[] = {{"A", "1"}};
    struct run_request r = request();
    struct execution row = fake_row(1, EXEC_STARTING);
    struct answer a = {0};
    struct problem p;
    r.env = env;
    r.env_count = 1;
    assert_int_equal(ask(w, ROLE_DEVELOPER, &r, &a, &p), 0);
    env[0].value = NULL; /* borrowed for the call only */
    fake_pass(0);
    struct fake_call c = fake_take(CALL_CREATE);
    assert_string_equal(c.created_by, "dev@x");
    assert_string_equal(c.request_id, "req-1");
    assert_string_equal(c.image_id, "host");
    assert_true(c.is_sealed);
    assert_int_equal(c.timeout_s, 5);
    assert_int_equal(c.grace_s, 2);
    assert_int_equal(a.calls, 0);
    c.fn.created(c.user, 0, &row, STORE_REFUSED_NOT);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, 0);
    assert_int_equal(a.state.status, EXEC_STARTING);
    assert_false(a.is_replayed);
    assert_int_equal(fake_engine.starts, 1);
    assert_int_equal(orchestrator_live_count(w->o), 1);
}

static void test_run__nothing_but_a_command__nothing_sealed(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(run(w, ROLE_DEVELOPER, &a, &p), 0);
    struct fake_call c = fake_take(CALL_CREATE);
    assert_false(c.is_sealed);
    c.fn.created(c.user, ERR_DB, NULL, STORE_REFUSED_NOT);
    assert_int_equal(a.err, ERR_DB);
}

static void test_run__secrets__sealed_under_the_requests_own(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"db", "api"};
    static const struct secret_value values[] = {{"db", "DB_URL", "postgres://x", 12},
                                                 {"api", "API_KEY", "from-secret", 11}};
    const struct env_var env[] = {{"API_KEY", "from-request"}};
    struct run_request r = request();
    struct answer a = {0};
    struct problem p;
    r.env = env;
    r.env_count = 1;
    r.secrets = names;
    r.secrets_count = 2;
    r.git_repo = "https://h/r";
    r.git_ref = "v1";
    r.git_path = "src";
    assert_int_equal(ask(w, ROLE_DEVELOPER, &r, &a, &p), 0);
    fake_pass(0);
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
    assert_int_equal(asked.n, 2);
    asked.fn(asked.user, NULL, values, 2);
    struct fake_call c = fake_take(CALL_CREATE);
    struct execution row = fake_row(1, EXEC_STARTING);
    execution_id_make(row.key, c.random, &row.id);
    struct plan plan;
    assert_int_equal(plan_open(w->o, &row.id, c.seal_key_id, c.sealed, c.sealed_len, &plan), 0);
    assert_string_equal(plan_get(&plan, "DB_URL"), "postgres://x");
    assert_string_equal(plan_get(&plan, "API_KEY"), "from-request");
    assert_string_equal(plan.git_repo, "https://h/r");
    assert_string_equal(plan.git_ref, "v1");
    assert_string_equal(plan.git_path, "src");
    assert_null(plan.image);
    plan_done(&plan);
    c.fn.created(c.user, 0, &row, STORE_REFUSED_NOT);
    assert_int_equal(a.err, 0);
}

static void test_run__secrets_refused__nothing_created(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"db"};
    struct run_request r = request();
    struct answer a = {0};
    struct problem p, no;
    r.secrets = names;
    r.secrets_count = 1;
    assert_int_equal(ask(w, ROLE_DEVELOPER, &r, &a, &p), 0);
    fake_pass(0);
    (void)problem_set(&no, ERR_FORBIDDEN, "forbidden", "secret db");
    asked.fn(asked.user, &no, NULL, 0);
    assert_int_equal(a.err, ERR_FORBIDDEN);
    assert_int_equal(ask(w, ROLE_DEVELOPER, &r, &a, &p), 0);
    asked.err = ERR_DB_AWAY;
    fake_pass(0);
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_int_equal(a.calls, 2);
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
}

static void test_run__cannot_seal__refused(void **state)
{
    struct world *w = *state;
    const struct env_var env[] = {{"A", "1"}};
    struct run_request r = request();
    struct answer a = {0};
    struct problem p;
    r.env = env;
    r.env_count = 1;
    w->o->opts.sealer = NULL;
    assert_int_equal(ask(w, ROLE_DEVELOPER, &r, &a, &p), 0);
    fake_pass(0);
    assert_int_equal(a.err, ERR_INTERNAL);
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
}

/* The key was replaced between sealing and storing: sealed again, with the new one. */
static void test_run__sealing_key_replaced__sealed_again(void **state)
{
    struct world *w = *state;
    const struct env_var env[] = {{"A", "1"}};
    struct run_request r = request();
    struct execution row = fake_row(1, EXEC_STARTING);
    struct answer a = {0};
    struct problem p;
    r.env = env;
    r.env_count = 1;
    assert_int_equal(ask(w, ROLE_DEVELOPER, &r, &a, &p), 0);
    fake_pass(0);
    fake_answer_execution(CALL_CREATE, ERR_STALE, NULL);
    assert_int_equal(fake_waiting(CALL_CREATE), 1);
    assert_int_equal(w->o->creating, 1);
    give_row(&row);
    assert_int_equal(a.err, 0);
    assert_string_equal(plan_get(&live_find(w->o, row.key)->plan, "A"), "1");
    struct answer b = {0};
    assert_int_equal(ask(w, ROLE_DEVELOPER, &r, &b, &p), 0);
    fake_pass(0);
    for (int i = 0; i < 3; i++)
        fake_answer_execution(CALL_CREATE, ERR_STALE, NULL);
    assert_int_equal(b.calls, 1);
    assert_true(list_is_empty(&w->o->doubts));
}

/* A run whose `n` variables, tokens all, are `len` bytes long each and share no beginning. */
static int ask_with_long(struct world *w, size_t n, size_t len, struct answer *a, struct problem *p)
{
    struct env_var env[60];
    struct run_request r = request();
    assert_true(n <= ARRAY_SIZE(env));
    for (size_t i = 0; i < n; i++) {
        char *name = malloc(16), *value = malloc(len + 1);
        assert_true(name && value);
        (void)snprintf(name, 16, "TOKEN_%hu", (unsigned short)i);
        for (size_t k = 0; k < len; k++)
            value[k] = (char)('a' + randombytes_uniform(26));
        value[len] = '\0';
        env[i] = (struct env_var){name, value};
    }
    r.env = env;
    r.env_count = n;
    w->o->opts.env_bytes_max = 8u << 20;
    int err = ask(w, ROLE_DEVELOPER, &r, a, p);
    for (size_t i = 0; i < n; i++) {
        free((char *)env[i].name);
        free((char *)env[i].value);
    }
    fake_pass(0);
    return err;
}

static void test_run__long_secrets__judged_off_the_loop(void **state)
{
    static const struct {
        size_t n, len;
        int work_err, err;
    } ROWS[] = {{2, 3000, 0, 0}, {60, 60000, 0, ERR_INVALID}, {2, 3000, ERR_CLOSED, ERR_CLOSED}};
    struct world *w = *state;
    fake_pass(0); /* others who work off the loop */
    fake_hold_work(true);
    for (size_t i = 0; i < ARRAY_SIZE(ROWS); i++) {
        struct answer a = {0};
        struct problem p;
        assert_int_equal(ask_with_long(w, ROWS[i].n, ROWS[i].len, &a, &p), 0);
        assert_int_equal(fake_waiting(CALL_CREATE), 0);
        assert_int_equal(fake_held_work(), 1);
        fake_do_work(ROWS[i].work_err);
        if (ROWS[i].err == 0) {
            assert_int_equal(a.calls, 0);
            fake_answer_execution(CALL_CREATE, ERR_DB, NULL);
            assert_int_equal(a.err, ERR_DB);
            continue;
        }
        assert_int_equal(fake_waiting(CALL_CREATE), 0);
        assert_int_equal(a.calls, 1);
        assert_int_equal(a.err, ROWS[i].err);
    }
    fake_hold_work(false);
}

static void test_run__freed_while_secrets_are_judged__closed(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    fake_pass(0);
    fake_hold_work(true);
    assert_int_equal(ask_with_long(w, 2, 3000, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, ERR_CLOSED);
    fake_do_work(0);
    assert_int_equal(a.calls, 1);
    fake_hold_work(false);
}

static void test_run__no_thread_for_long_secrets__refused(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(ask_with_long(w, 2, 3000, &a, &p), 0);
    assert_int_equal(a.calls, 1);
    assert_int_not_equal(a.err, 0);
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
}

static void test_run__viewer__forbidden(void **state)
{
    struct answer a = {0};
    struct problem p;
    assert_int_equal(run(*state, ROLE_VIEWER, &a, &p), ERR_FORBIDDEN);
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
}

static void test_run__bad_request__nothing_created(void **state)
{
    struct world *w = *state;
    const struct run_request r = {.timeout_s = -1, .grace_s = -1};
    struct answer a = {0};
    struct problem p;
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), ERR_INVALID);
    assert_string_equal(p.details, "command is required");
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
}

static void test_run__freed_while_the_image_is_looked_up__closed(void **state)
{
    struct world *w = *state;
    const struct run_request r = request();
    struct answer a = {0};
    struct problem p;
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, ERR_CLOSED);
}

static void test_run__at_the_limit__limit(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_LIMIT); /* rows on their way count */
    fake_answer_execution(CALL_CREATE, ERR_DB, NULL);
    for (uint32_t i = 0; i < 3; i++) {
        struct execution row = fake_row(i + 1, EXEC_STARTING);
        give_row(&row);
    }
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_LIMIT);
    assert_non_null(strstr(p.details, "4 executions"));
    fake_answer_execution(CALL_CREATE, ERR_DB, NULL);
}

/* Both asked while there was one place; the second is refused when its turn comes. */
static void test_run__place_taken_meanwhile__limit(void **state)
{
    struct world *w = *state;
    const struct run_request r = request();
    struct answer a = {0}, b = {0};
    struct problem p;
    w->o->opts.max_live = 1;
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &b, &p), 0);
    fake_pass(0);
    assert_int_equal(fake_waiting(CALL_CREATE), 1);
    assert_int_equal(b.err, ERR_LIMIT);
    fake_answer_execution(CALL_CREATE, ERR_DB, NULL);
}

struct refusal_row {
    enum store_refusal refusal;
    const char *details;
};

static void test_run__refused_by_the_limits__says_which(void **state)
{
    struct world *w = *state;
    static const struct refusal_row rows[] = {
        {STORE_REFUSED_RUNNING, "7 executions are running"},
        {STORE_REFUSED_RUNNING_PER_USER, "3 of your executions are running"},
        {STORE_REFUSED_QUEUE, "9 executions are waiting"},
    };
    w->o->opts.max_running = 7;
    w->o->opts.max_running_per_user = 3;
    w->o->opts.queue_max = 9;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct answer a = {0};
        struct problem p;
        assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
        struct fake_call c = fake_take(CALL_CREATE);
        assert_int_equal(c.limits.running, 7);
        assert_int_equal(c.limits.running_per_user, 3);
        assert_int_equal(c.queue_max, 9);
        assert_false(c.has_no_room);
        c.fn.created(c.user, 0, NULL, rows[i].refusal);
        assert_int_equal(a.err, ERR_LIMIT);
        assert_non_null(strstr(a.p.details, rows[i].details));
        assert_int_equal(w->o->creating, 0);
    }
}

static void test_run__queued__answered_and_the_queue_looked_at(void **state)
{
    struct world *w = *state;
    struct execution row = fake_row(1, EXEC_PENDING);
    struct answer a = {0};
    struct problem p;
    w->o->opts.queue_max = 5;
    w->o->opts.max_live = 1;
    w->o->creating = 1; /* as if another were on its way */
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    struct fake_call c = fake_take(CALL_CREATE);
    assert_true(c.has_no_room);
    w->o->creating = 1;
    c.fn.created(c.user, 0, &row, STORE_REFUSED_NOT);
    assert_int_equal(a.state.status, EXEC_PENDING);
    assert_int_equal(fake_engine.starts, 0);
    assert_int_equal(orchestrator_live_count(w->o), 0);
}

static void test_run__leaving_or_not_started__closed(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_CLOSED);
    assert_non_null(strstr(p.details, "starting"));
    w->o->is_started = true;
    const struct run_request r = request();
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    orchestrator_leave(w->o);
    fake_pass(0); /* it leaves while the image is looked up */
    assert_int_equal(a.err, ERR_CLOSED);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), ERR_CLOSED);
    assert_non_null(strstr(p.details, "shutting down"));
}

static void test_run__database_away__problem(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    fake_answer_execution(CALL_CREATE, ERR_DB_AWAY, NULL);
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_string_equal(a.p.error, "failed to run command");
    const struct run_request r = request();
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    fake_stores_return(ERR_DB_AWAY);
    fake_pass(0);
    assert_int_equal(a.err, ERR_DB_AWAY);
    assert_int_equal(a.calls, 2);
    assert_int_equal(w->o->creating, 0);
}

static void test_run__freed_before_the_answer__closed(void **state)
{
    struct world *w = *state;
    struct answer a = {0};
    struct problem p;
    struct execution row = fake_row(1, EXEC_STARTING);
    assert_int_equal(run(w, ROLE_ADMIN, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    assert_int_equal(a.err, ERR_CLOSED);
    give_row(&row);
    assert_int_equal(a.calls, 1);
    assert_int_equal(fake_engine.starts, 0);
}

/* ---- idempotency keys ---- */

static struct run_request with_key(void)
{
    struct run_request r = request();
    r.idempotency_key = "order-17";
    return r;
}

static void answer_earlier(int err, const struct execution *row, bool is_same)
{
    struct fake_call c = fake_take(CALL_EARLIER);
    assert_string_equal(c.key, "order-17");
    assert_int_equal(c.user_key, 7);
    c.fn.earlier(c.user, err, row, is_same);
}

static void test_run__key_is_new__created_with_it(void **state)
{
    struct world *w = *state;
    const struct run_request r = with_key();
    struct execution row = fake_row(1, EXEC_STARTING);
    struct answer a = {0};
    struct problem p;
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
    answer_earlier(ERR_NOT_FOUND, NULL, false);
    fake_pass(0);
    struct fake_call c = fake_take(CALL_CREATE);
    assert_string_equal(c.key, "order-17");
    c.fn.created(c.user, 0, &row, STORE_REFUSED_NOT);
    assert_int_equal(a.err, 0);
    assert_false(a.is_replayed);
}

static void test_run__key_is_known__same_answer_or_conflict(void **state)
{
    struct world *w = *state;
    const struct run_request r = with_key();
    const struct execution row = fake_row(1, EXEC_RUNNING);
    struct answer a = {0}, b = {0}, c = {0};
    struct problem p;
    w->o->opts.max_live = 0; /* nothing new: no place is needed */
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    answer_earlier(0, &row, true);
    assert_int_equal(a.err, 0);
    assert_true(a.is_replayed);
    assert_int_equal(a.state.status, EXEC_RUNNING);
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &b, &p), 0);
    answer_earlier(0, &row, false);
    assert_int_equal(b.err, ERR_CONFLICT);
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &c, &p), 0);
    answer_earlier(ERR_DB_AWAY, NULL, false);
    assert_int_equal(c.err, ERR_DB_AWAY);
    assert_int_equal(fake_waiting(CALL_CREATE), 0);
}

static void test_run__key_taken_meanwhile__the_others_answer(void **state)
{
    struct world *w = *state;
    const struct env_var env[] = {{"A", "1"}};
    struct run_request r = with_key();
    const struct execution row = fake_row(1, EXEC_STARTING);
    struct answer a = {0};
    struct problem p;
    r.env = env;
    r.env_count = 1;
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    answer_earlier(ERR_NOT_FOUND, NULL, false);
    fake_pass(0);
    fake_answer_execution(CALL_CREATE, ERR_CONFLICT, NULL);
    answer_earlier(0, &row, true);
    assert_true(a.is_replayed);
    assert_int_equal(a.calls, 1);
    assert_int_equal(w->o->creating, 0);
}

static void test_run__key_taken_again_and_again__gives_up(void **state)
{
    struct world *w = *state;
    const struct run_request r = with_key();
    struct answer a = {0};
    struct problem p;
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    for (int i = 0; i < 3; i++) {
        answer_earlier(ERR_NOT_FOUND, NULL, false);
        fake_pass(0);
        fake_answer_execution(CALL_CREATE, ERR_CONFLICT, NULL);
    }
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, ERR_DB);
    assert_true(list_is_empty(&w->o->doubts));
}

static void test_run__freed_while_the_key_is_looked_up__closed(void **state)
{
    struct world *w = *state;
    const struct run_request r = with_key();
    struct answer a = {0};
    struct problem p;
    fake_stores_return(ERR_LIMIT);
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), ERR_DB_AWAY);
    fake_stores_return(0);
    assert_int_equal(ask(w, ROLE_ADMIN, &r, &a, &p), 0);
    orchestrator_free(TAKE_PTR(w->o));
    answer_earlier(ERR_NOT_FOUND, NULL, false);
    assert_int_equal(a.calls, 1);
    assert_int_equal(a.err, ERR_CLOSED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_run__accepted__row_then_answer_then_start),
        TEST(test_run__nothing_but_a_command__nothing_sealed),
        TEST(test_run__secrets__sealed_under_the_requests_own),
        TEST(test_run__secrets_refused__nothing_created),
        TEST(test_run__cannot_seal__refused),
        TEST(test_run__sealing_key_replaced__sealed_again),
        TEST(test_run__long_secrets__judged_off_the_loop),
        TEST(test_run__freed_while_secrets_are_judged__closed),
        TEST(test_run__no_thread_for_long_secrets__refused),
        TEST(test_run__viewer__forbidden),
        TEST(test_run__bad_request__nothing_created),
        TEST(test_run__freed_while_the_image_is_looked_up__closed),
        TEST(test_run__at_the_limit__limit),
        TEST(test_run__place_taken_meanwhile__limit),
        TEST(test_run__refused_by_the_limits__says_which),
        TEST(test_run__queued__answered_and_the_queue_looked_at),
        cmocka_unit_test_setup_teardown(test_run__leaving_or_not_started__closed,
                                        fake_setup_unstarted, fake_teardown),
        TEST(test_run__database_away__problem),
        TEST(test_run__freed_before_the_answer__closed),
        TEST(test_run__key_is_new__created_with_it),
        TEST(test_run__key_is_known__same_answer_or_conflict),
        TEST(test_run__key_taken_meanwhile__the_others_answer),
        TEST(test_run__key_taken_again_and_again__gives_up),
        TEST(test_run__freed_while_the_key_is_looked_up__closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
