/* Questions whose asker or whose answer may never come, and their turns. */
#include "../base/fail_alloc.h"
#include "stream_rig.h"

#include "base/err.h"
#include "base/log.h"

#define MANY (STREAM_ASKING_MAX + 30)

static struct stream asker = {.id = 0xabcdef};
static struct stream_op *started[MANY];
static size_t n_started, n_refused;
static int start_error;

static int start(struct stream_op *op, struct problem *p)
{
    assert_string_equal(log_request_id(), "0000000000abcdef");
    if (start_error)
        return problem_set(p, start_error, "failed", "%s", "at once");
    assert_true(n_started < MANY);
    started[n_started++] = op;
    return 0;
}

static void refused(struct stream *s, struct sub *sub, const struct problem *p)
{
    assert_ptr_equal(s, &asker);
    assert_null(sub ? sub->op : s->op);
    assert_int_equal(p->err, start_error);
    n_refused++;
}

static int setup(void **state)
{
    n_started = n_refused = 0;
    start_error = 0;
    int r = rig_setup(state);
    asker.st = rig.st;
    return r;
}

static bool answer(size_t i)
{
    struct stream *s = NULL;
    struct sub *sub = NULL;

    return stream_op_done(started[i], &s, &sub);
}

static void test_ask__answered__reaches_the_asker(void **state)
{
    struct sub sub = {.stream = &asker};
    struct stream *s = NULL;
    struct sub *which = NULL;

    (void)state;
    log_set_request_id("another");
    assert_int_equal(stream_ask(&asker, NULL, "key", 5, start, refused), 0);
    assert_string_equal(log_request_id(), "another");
    log_set_request_id(NULL);
    assert_int_equal(stream_ask(&asker, &sub, NULL, 0, start, refused), 0);
    assert_string_equal(log_request_id(), "");
    assert_int_equal(n_started, 2);
    assert_ptr_equal(asker.op, started[0]);
    assert_ptr_equal(sub.op, started[1]);
    assert_string_equal(started[0]->key, "key");
    assert_int_equal(started[0]->user_key, 5);
    assert_true(stream_op_done(started[0], &s, &which));
    assert_ptr_equal(s, &asker);
    assert_null(which);
    assert_null(asker.op);
    assert_true(stream_op_done(started[1], &s, &which));
    assert_ptr_equal(which, &sub);
    assert_null(sub.op);
}

static void test_ask__forgotten__answer_reaches_nobody(void **state)
{
    (void)state;
    assert_int_equal(stream_ask(&asker, NULL, NULL, 0, start, refused), 0);
    stream_op_forget(TAKE_PTR(asker.op));
    stream_op_forget(NULL);
    assert_false(answer(0));
    assert_int_equal(rig.st->asking, 0);
}

static void test_ask__more_than_at_once__in_turn(void **state)
{
    static struct sub subs[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        subs[i] = (struct sub){.stream = &asker};
        assert_int_equal(stream_ask(&asker, &subs[i], "key", 0, start, refused), 0);
    }
    assert_int_equal(n_started, STREAM_ASKING_MAX);
    stream_op_forget(TAKE_PTR(subs[STREAM_ASKING_MAX].op)); /* before its turn */
    for (size_t i = 0; i < n_started; i++)
        assert_true(answer(i));
    assert_int_equal(n_started, MANY - 1);
    for (size_t i = 0; i < MANY; i++)
        assert_null(subs[i].op);
    assert_int_equal(rig.st->asking, 0);
}

static void test_ask__refused_at_once__the_next_have_their_turn(void **state)
{
    static struct sub subs[MANY];

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        subs[i] = (struct sub){.stream = &asker};
        assert_int_equal(stream_ask(&asker, &subs[i], NULL, 0, start, refused), 0);
    }
    start_error = ERR_CLOSED;
    assert_true(answer(0)); /* the rest is refused in one go, not one within the other */
    assert_int_equal(n_refused, MANY - STREAM_ASKING_MAX);
    for (size_t i = 1; i < n_started; i++)
        assert_true(answer(i));
    assert_int_equal(rig.st->asking, 0);
}

static void test_ask__no_memory__nothing_is_asked(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        (void)fail_alloc_at(n);
        assert_int_equal(stream_ask(&asker, NULL, "key", 0, start, refused), ERR_NOMEM);
        assert_true(fail_alloc_off());
        assert_null(asker.op);
    }
    assert_int_equal(n_started, 0);
}

static void test_ask__streams_gone_before_the_answer__harmless(void **state)
{
    struct streams *st = NULL;

    (void)state;
    rig.n_encoders = 0;
    assert_int_equal(streams_new(NULL, &st), 0);
    asker.st = st;
    assert_int_equal(stream_ask(&asker, NULL, NULL, 0, start, refused), 0);
    stream_op_forget(TAKE_PTR(asker.op));
    streams_free(st);
    assert_false(answer(0));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ask__answered__reaches_the_asker),
        TEST(test_ask__forgotten__answer_reaches_nobody),
        TEST(test_ask__more_than_at_once__in_turn),
        TEST(test_ask__refused_at_once__the_next_have_their_turn),
        TEST(test_ask__no_memory__nothing_is_asked),
        TEST(test_ask__streams_gone_before_the_answer__harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
