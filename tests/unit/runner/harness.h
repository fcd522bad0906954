/*
 * A run directory and a workspace in a temporary directory, the real tailgate-runner in it, and
 * what its spool says afterwards. One fixture is one run.
 */
#ifndef TAILGATE_TESTS_RUNNER_HARNESS_H
#define TAILGATE_TESTS_RUNNER_HARNESS_H

#include "spool/format.h"
#include "spool/reader.h"
#include "spool/rundir.h"
#include "spool/spec.h"
#include "spool/writer.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define RUN_ID "0123456789abcdef0123456789abcdef"
#define DEADLINE_MS 60000

struct bytes {
    char *p; /* NUL behind n */
    size_t n;
};

struct record_copy {
    uint8_t kind, flags;
    int64_t time_us;
    uint32_t len;
    char *payload;
};

struct fixture {
    char base[64];
    char run[80];
    char work[80];
    int dirfd;
    struct run_spec spec; /* the test's to change before run_start */
    pid_t pid;            /* the runner; 0 = not running */
    int pidfd;
    int status; /* of waitpid */
    struct record_copy *records;
    size_t count;
    struct spool_exit exit;
    uint32_t begin_pid; /* 0: no begin record */
};

/* cmocka setup and teardown; *state is the fixture. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

void fixture_command(struct fixture *f, const char *command);
void fixture_env(struct fixture *f, const char *entry);
/* Writes the spec and starts the runner. */
void run_start(struct fixture *f);
/* Another runner in the same directory; its exit status. */
int run_second(struct fixture *f);
/* Waits for the runner's end within DEADLINE_MS. */
void run_wait(struct fixture *f);
/* Reads all records; the last must be the exit record. */
void run_read(struct fixture *f);
/* start, wait, read; the runner must have exited with 0. */
void run_all(struct fixture *f);

/* Until a record of kind with this payload (NULL: any) is in the spool; fails at the deadline. */
void run_await(struct fixture *f, uint8_t kind, const char *payload);
/* The bytes of a stream, joined. The caller frees p. */
struct bytes run_joined(const struct fixture *f, uint8_t kind);
void run_assert_joined(const struct fixture *f, uint8_t kind, const char *bytes, size_t n);
#define run_assert_text(f, kind, text) run_assert_joined(f, kind, text, sizeof(text) - 1)
/* How many system lines contain text. */
size_t run_count_system(const struct fixture *f, const char *text);
int64_t mono_ms(void);
/* Waits until the process is gone (a zombie counts as gone). */
void await_gone(pid_t pid);
/* A number that the command wrote into a file of the workspace; waits for it. */
long await_number(struct fixture *f, const char *file);

#endif
