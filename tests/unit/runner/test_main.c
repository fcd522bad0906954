/* tailgate-runner's arguments and start-up failures: one line on standard error, own exit codes. */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct said {
    int code;
    char text[512];
};

static struct said say(const char *arguments)
{
    struct said s = {0};
    char command[512];
    snprintf(command, sizeof(command), RUNNER_PROGRAM " %s 2>&1", arguments);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    size_t n = fread(s.text, 1, sizeof(s.text) - 1, p);
    s.text[n] = '\0';
    int status = pclose(p);
    assert_true(WIFEXITED(status));
    s.code = WEXITSTATUS(status);
    return s;
}

static void test_main__arguments__answered(void **state)
{
    static const struct {
        const char *arguments, *text;
        int code;
    } rows[] = {
        {"", "usage: tailgate-runner RUN_DIR", RUNDIR_RUNNER_USAGE},
        {"a b", "usage: tailgate-runner RUN_DIR", RUNDIR_RUNNER_USAGE},
        {"--nonsense", "usage: tailgate-runner RUN_DIR", RUNDIR_RUNNER_USAGE},
        {"--version", "tailgate-runner " TAILGATE_VERSION "\n", RUNDIR_RUNNER_DONE},
        {"/no/such/dir", "cannot open /no/such/dir: No such file or directory\n",
         RUNDIR_RUNNER_FAILED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct said s = say(rows[i].arguments);
        assert_int_equal(s.code, rows[i].code);
        assert_non_null(strstr(s.text, rows[i].text));
    }
    (void)state;
}

static void test_main__landlock_abi__a_number(void **state)
{
    struct said s = say("--landlock-abi");
    int abi = -1;
    assert_int_equal(s.code, RUNDIR_RUNNER_DONE);
    assert_int_equal(sscanf(s.text, "%d", &abi), 1);
    assert_true(abi >= 0);
    (void)state;
}

static void damage(const struct fixture *f, const char *name, const char *bytes)
{
    int fd = openat(f->dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
    close(fd);
}

/* A failure before the lock leaves no trace: the run can still be started. */
static void test_main__bad_run_directory__says_why(void **state)
{
    static const struct {
        const char *file, *bytes, *text;
        bool locked;
    } rows[] = {
        {"spec", "nonsense", "cannot read the spec", false},
        {"spec", "", "cannot read the spec", false},
        {"spool", NULL, "cannot open the spool", false},
        {"ack", NULL, "cannot open the ack", false},
        {"spool", "TGSPOOL1", "cannot continue the spool", true},
        {"ack", "123", "cannot continue the spool", true},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        void *s = NULL;
        enum rundir_liveness live = RUNDIR_ALIVE;
        pid_t pid = 0;
        assert_int_equal(fixture_setup(&s), 0);
        struct fixture *f = s;
        fixture_command(f, "true");
        assert_int_equal(run_spec_write(f->dirfd, &f->spec), 0);
        if (rows[i].bytes == NULL)
            assert_int_equal(unlinkat(f->dirfd, rows[i].file, 0), 0);
        else
            damage(f, rows[i].file, rows[i].bytes);
        struct said said = say(f->run);
        assert_int_equal(said.code, RUNDIR_RUNNER_FAILED);
        assert_non_null(strstr(said.text, rows[i].text));
        assert_int_equal(rundir_liveness(f->dirfd, &live, &pid), 0);
        assert_int_equal(live, rows[i].locked ? RUNDIR_DEAD : RUNDIR_NOT_STARTED);
        fixture_teardown(&s);
    }
    (void)state;
}

/* Whatever the engine had open or closed, the run is the same. */
static void test_main__closed_standard_descriptors__fine(void **state)
{
    struct fixture *f = *state;
    char command[512];
    fixture_command(f, "echo fine");
    assert_int_equal(run_spec_write(f->dirfd, &f->spec), 0);
    snprintf(command, sizeof(command), RUNNER_PROGRAM " %s <&- >&- 2>&- 9</dev/null", f->run);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): the test's own words */
    run_read(f);
    run_assert_text(f, 'o', "fine\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_main__arguments__answered),
        cmocka_unit_test(test_main__landlock_abi__a_number),
        cmocka_unit_test(test_main__bad_run_directory__says_why),
        cmocka_unit_test_setup_teardown(test_main__closed_standard_descriptors__fine, fixture_setup,
                                        fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
