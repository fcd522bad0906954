/* Signals as events. */
#include "cli/interrupt.h"
#include "tests/unit/base/unit.h"

#include "base/err.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static bool signalfd_fails, sigprocmask_fails;
static int poll_errno; /* the next poll fails with it */

int __real_signalfd(int fd, const sigset_t *set, int flags);
int __wrap_signalfd(int fd, const sigset_t *set, int flags);
int __real_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);

int __wrap_signalfd(int fd, const sigset_t *set, int flags)
{
    return signalfd_fails ? -1 : __real_signalfd(fd, set, flags);
}

int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    return sigprocmask_fails ? -1 : __real_sigprocmask(how, set, old);
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    if (poll_errno != 0) {
        errno = poll_errno;
        poll_errno = 0;
        return -1;
    }
    return __real_poll(fds, n, timeout);
}

static unsigned seen;
static bool only_second(void *user, int signum)
{
    assert_ptr_equal(user, &seen);
    assert_true(signum == SIGINT || signum == SIGTERM);
    return ++seen == 2;
}

static void test_interrupt__signals__handed_over_and_masked(void **state UNUSED)
{
    struct interrupt i;
    sigset_t before, after;
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &before), 0);
    assert_int_equal(interrupt_init(&i), 0);
    assert_false(interrupt_is_pending(&i));
    assert_false(interrupt_dispatch(&i));
    assert_int_equal(raise(SIGINT), 0);
    assert_true(interrupt_is_pending(&i));
    assert_true(interrupt_dispatch(&i));
    assert_int_equal(i.last_signal, SIGINT);
    assert_false(interrupt_is_pending(&i));
    i.fn = only_second;
    i.user = &seen;
    assert_int_equal(raise(SIGTERM), 0);
    assert_false(interrupt_dispatch(&i));
    assert_int_equal(raise(SIGINT), 0);
    assert_true(interrupt_dispatch(&i));
    assert_int_equal(raise(SIGINT), 0); /* would end us when interrupt_done did not forget it */
    interrupt_done(&i);
    interrupt_done(&i);
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &after), 0);
    assert_int_equal(sigismember(&before, SIGINT), sigismember(&after, SIGINT));
}

static void test_interrupt_wait__fd_and_signals__first_one_wins(void **state UNUSED)
{
    struct interrupt i;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(interrupt_init(&i), 0);
    assert_int_equal(interrupt_wait(&i, fds[1], POLLOUT), 0);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(interrupt_wait(&i, fds[0], POLLIN), ERR_AGAIN);
    seen = 0;
    i.fn = only_second;
    i.user = &seen;
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(write(fds[1], "x", 1), 1);
    poll_errno = EINTR;
    assert_int_equal(interrupt_wait(&i, fds[0], POLLIN), 0);
    assert_int_equal(seen, 1);
    poll_errno = EINVAL;
    assert_int_equal(interrupt_wait(&i, fds[0], POLLIN), ERR_SYS);
    interrupt_done(&i);
    assert_int_equal(close(fds[0]) + close(fds[1]), 0);
}

static void test_interrupt_init__system_call_fails__mask_as_before(void **state UNUSED)
{
    struct interrupt i;
    sigset_t after;
    sigprocmask_fails = true;
    assert_int_equal(interrupt_init(&i), ERR_SYS);
    sigprocmask_fails = false;
    signalfd_fails = true;
    assert_int_equal(interrupt_init(&i), ERR_SYS);
    signalfd_fails = false;
    assert_int_equal(sigprocmask(SIG_BLOCK, NULL, &after), 0);
    assert_int_equal(sigismember(&after, SIGINT), 0);
    interrupt_done(&i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_interrupt__signals__handed_over_and_masked),
        cmocka_unit_test(test_interrupt_wait__fd_and_signals__first_one_wins),
        cmocka_unit_test(test_interrupt_init__system_call_fails__mask_as_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
