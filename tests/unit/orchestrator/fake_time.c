/* Timers and clocks that stand still: what is wrapped by FAKE_TIME. */
#include "fake.h"
#include "fake_health.h"

#include "base/clock.h"

#include <string.h>

static struct list timers = {&timers, &timers};
bool fake_works;
static int64_t now_ms = 1000;
#define WALL_BEGIN_US INT64_C(1767225600000000) /* 2026-01-01 */

struct loop_timer {
    struct list node;
    loop_fn fn;
    void *user;
    int64_t due_ms, repeat_ms;
    bool is_active;
};

int __wrap_loop_timer_new(struct loop *l, loop_fn fn, void *user, struct loop_timer **ret);
void __wrap_loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms);
void __wrap_loop_timer_stop(struct loop_timer *t);
void __wrap_loop_timer_free(struct loop_timer *t);
int __wrap_loop_defer_new(struct loop *l, loop_fn fn, void *user, struct loop_defer **ret);
void __wrap_loop_defer_schedule(struct loop_defer *d);
void __wrap_loop_defer_free(struct loop_defer *d);
int __wrap_loop_work_submit(struct loop *l, loop_work_fn work, loop_done_fn done, void *user);
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_wall_us(void);

size_t fake_timers(void)
{
    size_t n = 0;
    LIST_FOREACH (it, &timers)
        n++;
    return n;
}

int __wrap_loop_timer_new(struct loop *l UNUSED, loop_fn fn, void *user, struct loop_timer **ret)
{
    struct loop_timer *t = calloc(1, sizeof *t);
    if (!t)
        return ERR_NOMEM;
    t->fn = fn;
    t->user = user;
    list_append(&timers, &t->node);
    *ret = t;
    return 0;
}

void __wrap_loop_timer_start(struct loop_timer *t, int64_t delay_ms, int64_t repeat_ms)
{
    t->due_ms = now_ms + delay_ms;
    t->repeat_ms = repeat_ms;
    t->is_active = true;
}

void __wrap_loop_timer_stop(struct loop_timer *t)
{
    t->is_active = false;
}

void __wrap_loop_timer_free(struct loop_timer *t)
{
    if (!t)
        return;
    list_remove(&t->node);
    free(t);
}

/* A deferred call is a timer that is due now. */
int __wrap_loop_defer_new(struct loop *l, loop_fn fn, void *user, struct loop_defer **ret)
{
    return __wrap_loop_timer_new(l, fn, user, (struct loop_timer **)(void *)ret);
}

void __wrap_loop_defer_schedule(struct loop_defer *d)
{
    __wrap_loop_timer_start((struct loop_timer *)(void *)d, 0, 0);
}

void __wrap_loop_defer_free(struct loop_defer *d)
{
    __wrap_loop_timer_free((struct loop_timer *)(void *)d);
}

/* Off the loop is at once here. */
struct fake_work {
    loop_done_fn done;
    void *user;
    struct loop_timer *timer;
};

static void work_done(void *user)
{
    struct fake_work w = *(struct fake_work *)user;
    free(user);
    __wrap_loop_timer_free(w.timer);
    w.done(w.user, 0);
}

static struct {
    loop_work_fn work;
    loop_done_fn done;
    void *user;
} held[4];
static size_t n_held;
static bool is_holding;

void fake_hold_work(bool hold)
{
    is_holding = hold;
}

size_t fake_held_work(void)
{
    return n_held;
}

void fake_do_work(int err)
{
    assert_true(n_held > 0);
    loop_work_fn work = held[0].work;
    loop_done_fn done = held[0].done;
    void *user = held[0].user;
    memmove(held, held + 1, --n_held * sizeof held[0]);
    if (err == 0)
        work(user);
    done(user, err);
}

/* Refused, unless a test has asked for it: then callers do without, or try again. */
int __wrap_loop_work_submit(struct loop *l UNUSED, loop_work_fn work, loop_done_fn done, void *user)
{
    if (fake_works) {
        struct fake_work *w = calloc(1, sizeof *w);
        assert_non_null(w);
        *w = (struct fake_work){.done = done, .user = user};
        work(user);
        assert_int_equal(__wrap_loop_timer_new(NULL, work_done, w, &w->timer), 0);
        __wrap_loop_timer_start(w->timer, 0, 0);
        return 0;
    }
    if (!is_holding)
        return ERR_NOMEM;
    assert_true(n_held < ARRAY_SIZE(held));
    held[n_held].work = work;
    held[n_held].done = done;
    held[n_held++].user = user;
    return 0;
}

int64_t __wrap_clock_mono_ms(void)
{
    return now_ms;
}

int64_t __wrap_clock_wall_us(void)
{
    return WALL_BEGIN_US + now_ms * 1000;
}

static struct loop_timer *next_due(int64_t until_ms)
{
    struct loop_timer *next = NULL;
    LIST_FOREACH (it, &timers) {
        struct loop_timer *t = LIST_ENTRY(it, struct loop_timer, node);
        if (t->is_active && t->due_ms <= until_ms && (!next || t->due_ms < next->due_ms))
            next = t;
    }
    return next;
}

void fake_pass(int64_t ms)
{
    int64_t until_ms = now_ms + ms;
    for (struct loop_timer *t; (t = next_due(until_ms)) != NULL;) {
        if (t->due_ms > now_ms)
            now_ms = t->due_ms;
        t->is_active = t->repeat_ms > 0;
        t->due_ms = now_ms + t->repeat_ms;
        t->fn(t->user);
    }
    now_ms = until_ms;
}
