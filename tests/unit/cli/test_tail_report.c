/* How tailing ended, as exit code and words. */
#include "capture.h"

#include "cli/tail_report.h"
#include "tests/unit/base/unit.h"

#include <signal.h>
#include <string.h>

static struct capture caught;

static const struct {
    struct tail_result result;
    bool with_command;
    int own_failure, code;
    const char *text; /* "" = nothing is said */
} rows[] = {
    {{.outcome = TAIL_ENDED, .status = EXEC_SUCCEEDED, .exit_code = 0}, true, 125, 0, ""},
    {{.outcome = TAIL_ENDED, .status = EXEC_FAILED, .exit_code = 7}, true, 125, 7, ""},
    {{.outcome = TAIL_ENDED, .status = EXEC_FAILED, .exit_code = 7}, false, 0, 0, ""},
    {{.outcome = TAIL_ENDED, .status = EXEC_FAILED, .exit_code = 124, .reason = "timeout"},
     true,
     125,
     124,
     " FAILED: timeout"},
    {{.outcome = TAIL_ENDED, .status = EXEC_STOPPED, .exit_code = 130},
     true,
     125,
     130,
     " was stopped"},
    {{.outcome = TAIL_ENDED, .status = EXEC_FAILED, .exit_code = EXIT_CODE_NONE},
     true,
     125,
     125,
     "no exit code"},
    {{.outcome = TAIL_ENDED, .status = EXEC_FAILED, .exit_code = 256}, true, 0, 1, "no exit code"},
    {{.outcome = TAIL_CAUGHT_UP}, false, 0, 0, ""},
    {{.outcome = TAIL_LEFT, .last_seq = 42, .signum = SIGINT},
     true,
     125,
     130,
     "tailgate logs -f abc --after 42"},
    {{.outcome = TAIL_LEFT, .last_seq = 42, .signum = SIGTERM}, true, 125, 143, "--after 42"},
    {{.outcome = TAIL_OUTPUT, .err = ERR_CLOSED}, true, 125, 141, ""},
    {{.outcome = TAIL_OUTPUT, .err = ERR_AGAIN}, true, 125, 130, ""},
    {{.outcome = TAIL_OUTPUT, .err = ERR_SYS, .last_seq = 3}, true, 125, 125, "--after 3"},
    {{.outcome = TAIL_OUTPUT, .err = ERR_SYS}, false, 0, 1, "cannot write"},
    {{.outcome = TAIL_FAILED, .p = {.err = ERR_SYS, .error = "connection lost"}, .last_seq = 9},
     false,
     0,
     5,
     "tailgate: connection lost\ntailgate: come back with: tailgate logs -f abc --after 9\n"},
    {{.outcome = TAIL_FAILED, .p = {.err = ERR_SYS, .error = "connection lost"}},
     true,
     125,
     125,
     "connection lost"},
    {{.outcome = TAIL_FAILED, .p = {.err = ERR_NOT_FOUND, .error = "none"}},
     false,
     0,
     3,
     "tailgate: none\n"},
    {{.outcome = TAIL_FAILED, .p = {.err = ERR_BAD_KEY, .error = "key"}}, false, 0, 4, "key"},
    {{.outcome = TAIL_FAILED, .p = {.err = ERR_INVALID, .error = "bad"}}, false, 0, 6, "bad"},
};

static void test_tail_report__rows__code_and_words(void **state UNUSED)
{
    struct execution_id id = {.hex = "abc"};
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        capture_begin(&caught, NULL);
        int code = tail_report(&id, &rows[i].result, rows[i].with_command, rows[i].own_failure);
        capture_end(&caught);
        assert_int_equal(code, rows[i].code);
        if (rows[i].text[0] == '\0')
            assert_string_equal(caught.err, "");
        else
            assert_non_null(strstr(caught.err, rows[i].text));
        assert_string_equal(caught.out, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail_report__rows__code_and_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
