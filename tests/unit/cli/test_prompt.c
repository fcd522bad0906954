/* Questions on standard error, answers from standard input, echo off and on again. */
#include "capture.h"

#include "cli/prompt.h"
#include "tests/unit/base/unit.h"

#include "base/err.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

static struct capture caught;
static bool is_terminal, set_fails;
static unsigned off, on;

int __wrap_tcgetattr(int fd, struct termios *ret);
int __wrap_tcsetattr(int fd, int when, const struct termios *t);

int __wrap_tcgetattr(int fd UNUSED, struct termios *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->c_lflag = ECHO | ICANON | ISIG;
    return is_terminal ? 0 : -1;
}

int __wrap_tcsetattr(int fd UNUSED, int when UNUSED, const struct termios *t)
{
    assert_true((t->c_lflag & (ICANON | ISIG)) == (ICANON | ISIG));
    if ((t->c_lflag & ECHO) != 0)
        on++;
    else
        off++;
    return set_fails ? -1 : 0;
}

static int ask(const char *input, bool is_hidden, char **ret)
{
    off = on = 0;
    capture_begin(&caught, input);
    int r = prompt_line("Key: ", is_hidden, ret);
    capture_end(&caught);
    return r;
}

static void test_prompt_line__answers__without_line_ends(void **state UNUSED)
{
    static const struct {
        const char *input, *answer;
    } rows[] = {{"abc\nnext", "abc"}, {"abc", "abc"}, {"abc\r\n", "abc"}, {"\n", ""}, {"\r\n", ""}};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *answer = NULL;
        assert_int_equal(ask(rows[i].input, false, &answer), 0);
        assert_string_equal(answer, rows[i].answer);
        assert_string_equal(caught.err, "Key: ");
        free(answer);
    }
}

static void test_prompt_line__hidden__echo_off_and_on_again(void **state UNUSED)
{
    char *answer = NULL;
    is_terminal = true;
    assert_int_equal(ask("secret\n", true, &answer), 0);
    assert_string_equal(answer, "secret");
    assert_string_equal(caught.err, "Key: \n");
    assert_int_equal(off, 1);
    assert_int_equal(on, 1);
    free(answer);
    answer = NULL;
    assert_int_equal(ask("", true, &answer), ERR_END);
    assert_int_equal(on, 1);
    set_fails = true;
    assert_int_equal(ask("x\n", true, &answer), ERR_SYS);
    set_fails = false;
    is_terminal = false;
    assert_int_equal(ask("plain\n", true, &answer), 0);
    assert_int_equal(off, 0);
    free(answer);
}

static void test_prompt_line__no_answer__told(void **state UNUSED)
{
    static char big[6000];
    char *answer = NULL;
    memset(big, 'x', sizeof big - 1);
    assert_int_equal(ask("", false, &answer), ERR_END);
    assert_int_equal(ask(big, false, &answer), ERR_TOO_LARGE);
    assert_null(answer);
}

static void test_prompt_line__ctrl_c__echo_is_back(void **state UNUSED)
{
    char *answer = NULL;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    is_terminal = true;
    assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
    assert_int_equal(raise(SIGINT), 0);
    assert_int_equal(ask("late\n", true, &answer), ERR_AGAIN);
    assert_int_equal(on, 1);
    assert_null(answer);
    assert_int_equal(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
    is_terminal = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompt_line__answers__without_line_ends),
        cmocka_unit_test(test_prompt_line__hidden__echo_off_and_on_again),
        cmocka_unit_test(test_prompt_line__no_answer__told),
        cmocka_unit_test(test_prompt_line__ctrl_c__echo_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
